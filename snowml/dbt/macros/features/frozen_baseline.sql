{#
  How columns are distributed now, to compare with later (the test `distributed_as`). In a model of its own:

      {{ config(materialized='incremental', full_refresh=false) }}
      {{ snowml.frozen_baseline(ref('my_training_set'), ['amount', 'region']) }}

  The first build fills it, and no later one changes it: drop the table to freeze anew.

  Gives `column_name`, `bin`, `upper` (the greatest number of a bin; NULL for the last, for texts and for rows without a
  value), `share` and `row_count` (of the whole). Numbers are divided in `bins` of as many rows, texts by value, of which
  the `categories` most frequent have bins of their own.
#}
{% macro frozen_baseline(relation, columns, bins=10, categories=20) -%}
  {%- if not execute -%}
    {{ return(snowml._not_yet()) }}
  {%- endif -%}
  {%- set families = snowml._families(relation) %}
select
  cast(column_name as varchar) as column_name,
  cast(bin as varchar) as bin,
  cast(upper as double) as upper,
  cast(rows_in_bin as double) / nullif(sum(rows_in_bin) over (partition by column_name), 0) as share,
  cast(sum(rows_in_bin) over (partition by column_name) as bigint) as row_count
from (
  {%- for name in snowml._listed(columns) -%}
    {%- if families and snowml._bare(name) not in families -%}
      {{ exceptions.raise_compiler_error(
        'frozen_baseline: ' ~ snowml._plain_name(relation) ~ " has no column '" ~ name ~ "'.") }}
    {%- endif %}
  {{ snowml._text_bins(relation, name, categories) if families.get(snowml._bare(name)) in ['text', 'boolean']
    else snowml._number_bins(relation, name, bins) }}
  {{ 'union all' if not loop.last }}
  {%- endfor %}
) as bins
  {%- if is_incremental() %}
where 1 = 0
  {%- endif %}
{%- endmacro %}


{% macro _number_bins(relation, name, bins) %}
  select
    '{{ name | replace('"', '') }}' as column_name,
    case
      when upper is null then 'missing'
      when upper = greatest_of_all then 'last'
      else 'bin ' || cast(row_number() over (order by upper nulls last) as varchar)
    end as bin,
    case when upper < greatest_of_all then upper end as upper,
    rows_in_bin
  from (
    select upper, count(*) as rows_in_bin, max(max(upper)) over () as greatest_of_all
    from (
      -- Equal numbers belong to one bin, whichever twentieth each was counted in.
      select max(tile_upper) over (partition by number) as upper
      from (
        select
          number,
          case when number is not null then max(number) over (partition by tile) end as tile_upper
        from (
          select
            {{ name }} as number,
            ntile({{ bins }}) over (partition by {{ name }} is null order by {{ name }}) as tile
          from {{ relation }}
        ) as tiled
      ) as bounded
    ) as placed
    group by upper
  ) as counted
{%- endmacro %}


{% macro _text_bins(relation, name, categories) %}
  select
    '{{ name | replace('"', '') }}' as column_name,
    case
      when category is null then 'missing'
      when place <= {{ categories }} then 'is ' || category
      else 'other'
    end as bin,
    null as upper,
    sum(rows_in_bin) as rows_in_bin
  from (
    select
      cast({{ name }} as varchar) as category,
      count(*) as rows_in_bin,
      row_number() over (order by case when {{ name }} is null then 1 else 0 end, count(*) desc, {{ name }}) as place
    from {{ relation }}
    group by {{ name }}
  ) as ranked
  group by 2
{%- endmacro %}
