{% test same_row_count(model, as) %}

select here, there
from (select count(*) as here from {{ model }}) as ours
cross join (select count(*) as there from {{ as }}) as theirs
where here <> there

{% endtest %}
