{% test distributed_as(model, column_name, baseline, psi_at_most=none, ks_at_most=none) %}
{{ snowml._require(baseline is not string, 'distributed_as',
  "needs a relation, such as baseline: ref('my_baseline'), and not a text.") }}
{{ snowml._require(psi_at_most is not none or ks_at_most is not none, 'distributed_as',
  "needs psi_at_most, ks_at_most or both, such as psi_at_most: 0.2.") }}
{%- set is_text = snowml._families(model).get(snowml._bare(column_name)) in ['text', 'boolean'] %}
{%- set floor = '0.5 / nullif(least(rows_now, rows_before), 0)' %}

-- A share below half a row of the smaller sample counts as that, so that an empty bin gives no infinity. A column that the
-- baseline does not know fails.
select *
from (
    select
        sum((share_now - share_before) * ln(share_now / share_before)) as psi,
        max(abs(sum_now - sum_before)) as ks,
        max(rows_now) as rows_now,
        max(rows_before) as rows_before
    from (
        select
            rows_now,
            rows_before,
            case when now > {{ floor }} then now else {{ floor }} end as share_now,
            case when share > {{ floor }} then share else {{ floor }} end as share_before,
            -- The greatest distance of the two cumulative distributions, seen at the bins' ends. Texts have no order.
            {%- if is_text %}
            null as sum_now,
            null as sum_before
            {%- else %}
            sum(now) over (order by place nulls last rows between unbounded preceding and current row) as sum_now,
            sum(share) over (order by place nulls last rows between unbounded preceding and current row) as sum_before
            {%- endif %}
        from (
            select
                coalesce(bins.share, 0) as share,
                bins.place,
                max(bins.row_count) over () as rows_before,
                sum(coalesce(counted.rows_in_bin, 0)) over () as rows_now,
                coalesce(counted.rows_in_bin, 0) / nullif(sum(coalesce(counted.rows_in_bin, 0)) over (), 0) as now
            from {{ snowml._bins_of(baseline, column_name) }} as bins
            -- Full, since a text or a missing value may be new.
            full outer join (
                select bin, cast(count(*) as double) as rows_in_bin
                from (
                    {%- if is_text %}
                    select case when now.value_now is null then 'missing' else coalesce(bins.bin, 'other') end as bin
                    from (select cast({{ column_name }} as varchar) as value_now from {{ model }}) as now
                    left join {{ snowml._bins_of(baseline, column_name) }} as bins
                        on bins.bin = 'is ' || now.value_now
                    {%- else %}
                    select case when now.value_now is null then 'missing' else bins.bin end as bin
                    from (select {{ column_name }} as value_now from {{ model }}) as now
                    left join {{ snowml._bins_of(baseline, column_name) }} as bins
                        on
                            bins.bin <> 'missing'
                            and (bins.lower is null or now.value_now > bins.lower)
                            and (bins.upper is null or now.value_now <= bins.upper)
                    {%- endif %}
                ) as binned
                group by bin
            ) as counted
                on bins.bin = counted.bin
        ) as joined
    ) as floored
) as measured
where
    psi is null
    or rows_before is null
    {%- if psi_at_most is not none %}
    or psi > {{ psi_at_most }}
    {%- endif %}
    {%- if ks_at_most is not none %}
    or ks > {{ ks_at_most }}
    {%- endif %}

{% endtest %}


{# The bins of one column of a baseline, in order, each with where it begins. #}
{% macro _bins_of(baseline, column) -%}
  (
    select
      bin,
      upper,
      share,
      row_count,
      lag(upper) over (order by bin = 'missing', upper nulls last) as lower,
      row_number() over (order by bin = 'missing', upper nulls last) as place
    from {{ baseline }}
    where lower(column_name) = '{{ snowml._bare(column) }}'
  )
{%- endmacro %}
