{% test covers(model, spine) %}
{{ snowml._require(spine is not string, 'covers', "needs a relation, such as spine: ref('visits'), and not a text.") }}
{%- if execute -%}
{%- set asked = snowml._spine(spine, none, none, [], 'covers') -%}
{%- set keys = asked.entity + [asked.as_of] %}

select {% for key in keys %}asked.{{ key }}, {% endfor %}coalesce(answers.rows_of_it, 0) as rows_of_it
from ({{ snowml._questions(asked, asked.entity, none) }}
) as asked
left join (
    select {{ keys | join(', ') }}, count(*) as rows_of_it
    from {{ model }}
    group by {{ keys | join(', ') }}
) as answers
    on {{ snowml._same_keys('asked', 'answers', keys) }}
where coalesce(answers.rows_of_it, 0) <> 1
{%- endif %}

{% endtest %}
