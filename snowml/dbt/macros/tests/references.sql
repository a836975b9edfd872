{% test references(model, column_name, to, field, missing_at_most=0) %}
{{ snowml._require(to is not string, 'references', "needs a relation, such as to: ref('stg_customers'), and not a text.") }}
{{ snowml._require(missing_at_most is number and 0 <= missing_at_most < 1, 'references',
  "needs a ratio from 0 to below 1, such as missing_at_most: 0.2, and not '" ~ missing_at_most ~ "'.") }}

select rows_in_all, rows_missing
from (
    select
        count(*) as rows_in_all,
        sum(case when parent.{{ field }} is null then 1 else 0 end) as rows_missing
    from (select * from {{ model }}) as child
    left join (select distinct {{ field }} from {{ to }}) as parent
        on child.{{ column_name }} = parent.{{ field }}
    where child.{{ column_name }} is not null
) as counted
where rows_missing > {{ missing_at_most }} * rows_in_all

{% endtest %}
