{% test unique_combination(model, columns) %}
{{ snowml._require(columns is iterable and columns is not string and columns | length > 1, 'unique_combination',
  "needs a list of two columns or more, such as [store, day]; for a single column, dbt's own test is unique.") }}

select {{ columns | join(', ') }}, count(*) as rows_with_it
from {{ model }}
group by {{ columns | join(', ') }}
having count(*) > 1

{% endtest %}
