{% test split_overlap(model, entity, at, as_of='as_of') %}
{%- set keys = [entity] if entity is string else entity -%}
{{ snowml._require(modules.re.match('^\\d{4}-\\d{2}-\\d{2}( \\d{2}:\\d{2}(:\\d{2})?)?$', at | string), 'split_overlap',
  "needs the moment at which the later split begins, such as at: '2013-09-01', and not '" ~ at ~ "'.") }}

-- A row for each entity that is on both sides.
select
    {{ keys | join(', ') }},
    sum(case when {{ as_of }} < cast('{{ at }}' as timestamp) then 1 else 0 end) as rows_before,
    sum(case when {{ as_of }} >= cast('{{ at }}' as timestamp) then 1 else 0 end) as rows_after
from {{ model }}
group by {{ keys | join(', ') }}
having
    min({{ as_of }}) < cast('{{ at }}' as timestamp)
    and max({{ as_of }}) >= cast('{{ at }}' as timestamp)

{% endtest %}
