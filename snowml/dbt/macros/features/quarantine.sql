{#
  A model may declare conditions that its rows must meet, name → SQL:

      config: {meta: {snowml: {contract: {speed_is_possible: speed between 0 and 300, plate_is_there: plate is not null}}}}

  `sound_rows` are those that meet them all, and `quarantine` the others, each with `broken`: the names of the conditions
  that it breaks. A row is in exactly one of the two. Like a check constraint, a condition that is NULL is met; ask
  for a value by `is not null`.

      {{ snowml.sound_rows(ref('stg_readings')) }}      what features and scoring sets read
      {{ snowml.quarantine(ref('stg_readings')) }}      what somebody looks at
#}
{% macro sound_rows(relation, contract=none) -%}
  {%- if not execute -%}
    {{ return(snowml._not_yet()) }}
  {%- endif %}
select *
from {{ relation }}
where
  {%- for condition in snowml._contract(relation, contract, 'sound_rows').values() %}
  coalesce({{ condition }}, true)
  {{- ' and' if not loop.last }}
  {%- endfor %}
{%- endmacro %}


{% macro quarantine(relation, contract=none) -%}
  {%- if not execute -%}
    {{ return(snowml._not_yet()) }}
  {%- endif %}
select *
from (
  select
    judged.*,
    rtrim(
      {%- for name, condition in snowml._contract(relation, contract, 'quarantine').items() %}
      case when not ({{ condition }}) then '{{ name }}, ' else '' end
      {{- ' ||' if not loop.last }}
      {%- endfor %},
      ', '
    ) as broken
  from (select * from {{ relation }}) as judged
) as marked
where broken <> ''
{%- endmacro %}


{% macro _contract(relation, given, macro) -%}
  {%- set contract = snowml._declaration(relation, 'contract', given, macro) -%}
  {%- if contract is not mapping or not contract -%}
    {{ exceptions.raise_compiler_error(
      macro ~ ': the contract of ' ~ snowml._plain_name(relation) ~ " is '" ~ contract
      ~ "'; give names and conditions, such as contract: {speed_is_possible: speed between 0 and 300}.") }}
  {%- endif -%}
  {{ return(contract) }}
{%- endmacro %}
