{% test same_row_count(model, as) %}
{{ snowml._require(as is not string, 'same_row_count', "needs a relation, such as as: ref('stg_orders'), and not a text.") }}

select here, there
from (select count(*) as here from {{ model }}) as ours
cross join (select count(*) as there from {{ as }}) as theirs
where here <> there

{% endtest %}
