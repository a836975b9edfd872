{% test known_at(model, column_name, as_of='as_of', arrived_at=none) %}
{%- set facts = [column_name] + ([] if arrived_at is none else [arrived_at]) %}

-- A row for each that was told something newer than the moment it asks at; NULL is nothing told.
select *
from {{ model }}
where
    false
    {%- for fact in facts %}
    or {{ fact }} > {{ as_of }}
    {%- endfor %}

{% endtest %}
