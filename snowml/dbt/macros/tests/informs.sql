{% test informs(model, column_name, label, positive=none, at_least=0, at_most=1, bins=20) %}
{{ snowml._require(0 <= at_least <= at_most <= 1, 'informs',
  "needs shares from 0 to 1, such as at_least: 0.001 and at_most: 0.5.") }}
{%- set is_text = snowml._families(model).get(snowml._bare(column_name)) in ['text', 'boolean'] -%}
{%- set answer = label if positive is none else 'case when ' ~ label ~ ' = ' ~ snowml._literal(positive) ~ ' then 1 else 0 end' %}

-- The share of the label's variance that lies between bins of the column, less what chance alone would give. A bin is a
-- text itself, or a twentieth of the numbers; rows without a value are a bin.
select *
from (
    select
        bins,
        rows_in_all,
        -- From 0 to 1: taking chance off may give less than 0, and doubles a little more than 1. As many bins as rows
        -- tell nothing.
        round(coalesce(
            case
                when between_bins / nullif(in_all, 0) >= 1 and rows_in_all > bins then 1
                when 1 - between_bins / nullif(in_all, 0) < (rows_in_all - bins) / nullif(rows_in_all - 1.0, 0)
                    then 1 - (1 - between_bins / in_all) * (rows_in_all - 1) / (rows_in_all - bins)
            end,
            0
        ), 9) as explained
    from (
        select
            count(*) as bins,
            sum(rows_in_bin) as rows_in_all,
            sum(rows_in_bin * (mean_of_bin - mean_of_all) * (mean_of_bin - mean_of_all)) as between_bins,
            max(squares - rows_of_all * mean_of_all * mean_of_all) as in_all
        from (
            select
                bin,
                count(*) as rows_in_bin,
                avg(answer) as mean_of_bin,
                max(mean_of_all) as mean_of_all,
                max(rows_of_all) as rows_of_all,
                max(squares) as squares
            from (
                select
                    answer,
                    avg(answer) over () as mean_of_all,
                    count(*) over () as rows_of_all,
                    sum(answer * answer) over () as squares,
                    {%- if is_text %}
                    cast(feature as varchar) as bin
                    {%- else %}
                    case
                        when feature is not null
                            then ceil({{ bins }} * cume_dist() over (partition by feature is null order by feature))
                    end as bin
                    {%- endif %}
                from (
                    select {{ column_name }} as feature, cast({{ answer }} as double) as answer
                    from {{ model }}
                    where {{ label }} is not null
                ) as labelled
            ) as binned
            group by bin
        ) as by_bin
    ) as summed
) as measured
where explained < {{ at_least }} or explained > {{ at_most }}

{% endtest %}


{# A value of YAML as SQL. #}
{% macro _literal(value) -%}
  {{ return("'" ~ value | replace("'", "''") ~ "'" if value is string else value | string | lower) }}
{%- endmacro %}
