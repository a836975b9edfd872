{% test label_proxy(model, column_name, entity, as_of='as_of', apart_from=[], at_most=none, sample=50000) %}
{%- set label = column_name -%}
{%- set others = ([label, as_of] + snowml._listed(entity) + apart_from) | map('replace', '"', '') | map('lower') | list -%}
{%- set found = namespace(label=none) -%}
{%- set features = [] -%}
{%- for column in snowml._columns(model) -%}
  {%- set kind = snowml._kind_of(column.data_type) -%}
  {%- if snowml._bare(column.name) == snowml._bare(label) -%}
    {%- set found.label = column.data_type -%}
  {%- elif column.name | lower not in others and kind in ['number', 'category'] -%}
    {%- do features.append((adapter.quote(column.name), column.name, kind)) -%}
  {%- endif -%}
{%- endfor -%}
{%- set is_amount = found.label is not none and snowml._kind_of(found.label) == 'number' and found.label | upper != 'BOOLEAN' -%}
{%- set limit = (0.9 if is_amount else 0.97) if at_most is none else at_most -%}
{{- snowml._require(limit is number and 0 < limit <= 1, 'label_proxy',
  "needs at_most above 0 and up to 1, such as at_most: 0.97, and not '" ~ at_most ~ "'.") -}}
{%- if not features -%}
select '' as feature, 0 as figure where false
{%- else -%}
with placed as (
    select
        labelled.*,
        {{ 'cast(' ~ label ~ ' as double)' if is_amount
          else 'case when ' ~ label ~ ' = (select max(' ~ label ~ ') from ' ~ model ~ ') then 1e0 else 0e0 end' }} as snowml_y,
        row_number() over (order by {{ as_of }}, {{ snowml._listed(entity) | join(', ') }}) as snowml_place,
        count(*) over () as snowml_rows
    from (select * from {{ model }}) as labelled
    where {{ label }} is not null
),

-- As if at random, by squares: multiples of one number would fall in with a label that comes and goes by turns.
sampled as (
    select
        *,
        mod(mod(mod(snowml_place, 65537) * mod(snowml_place, 65537) * 48271, 65537), 2) as snowml_half
    from placed
    where mod(snowml_place * 48271, 65537) < 65537.0 * {{ sample }} / snowml_rows
)
{%- for column, name, kind in features %},

{{ snowml._strength('sampled', column, kind, is_amount, loop.index) }}
{%- endfor %}

select feature, figure
from (
    {%- for column, name, kind in features %}
    select '{{ name | replace("'", "''") }}' as feature, figure from figure_{{ loop.index }}
    {{ 'union all' if not loop.last }}
    {%- endfor %}
) as figures
where figure > {{ limit }}
{%- endif %}

{% endtest %}


{# How well a column alone predicts snowml_y: the mean by bins, learned on one half of the rows and judged on the other. #}
{% macro _strength(rows, column, kind, is_amount, number) -%}
binned_{{ number }} as (
    select
        snowml_y as y,
        snowml_half as half,
        {% if kind == 'category' -%}
        coalesce(cast({{ column }} as varchar), '') as bin
        {%- else -%}
        case when {{ column }} is null then -1 else floor(percent_rank() over (order by {{ column }}) * 64) end as bin
        {%- endif %}
    from {{ rows }}
),

learned_{{ number }} as (
    select bin, avg(y) as mean_y
    from binned_{{ number }}
    where half = 0
    group by bin
),

scored_{{ number }} as (
    select
        binned.y,
        coalesce(learned.mean_y, overall.mean_y) as score
    from binned_{{ number }} as binned
    left join learned_{{ number }} as learned on binned.bin = learned.bin
    cross join (select avg(y) as mean_y from binned_{{ number }} where half = 0) as overall
    where binned.half = 1
),
{%- if is_amount %}

centred_{{ number }} as (
    select y, score, avg(y) over () as mean_y
    from scored_{{ number }}
),

figure_{{ number }} as (
    select 1 - sum((y - score) * (y - score)) / nullif(sum((y - mean_y) * (y - mean_y)), 0) as figure
    from centred_{{ number }}
)
{%- else %}

levels_{{ number }} as (
    select score, sum(y) as ones, sum(1 - y) as zeros
    from scored_{{ number }}
    group by score
),

ranked_{{ number }} as (
    select
        ones,
        zeros,
        sum(zeros) over (order by score rows between unbounded preceding and current row) - zeros as zeros_below
    from levels_{{ number }}
),

figure_{{ number }} as (
    select sum(ones * (zeros_below + zeros / 2)) / nullif(sum(ones) * sum(zeros), 0) as figure
    from ranked_{{ number }}
)
{%- endif %}
{%- endmacro %}
