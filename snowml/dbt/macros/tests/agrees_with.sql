{% test agrees_with(model, reference, by, columns, tolerance=0, missing='fails') %}
{{ snowml._require(reference is not string, 'agrees_with',
  "needs a relation, such as reference: ref('ledger'), and not a text.") }}
{{ snowml._require(tolerance is number and tolerance >= 0, 'agrees_with',
  "needs a tolerance of 0 or more, such as tolerance: 0.01, and not '" ~ tolerance ~ "'.") }}
{{ snowml._require(missing in ['fails', 'passes'], 'agrees_with',
  "says in missing whether a key that only one of the two has fails or passes, and not '" ~ missing ~ "'.") }}
{%- set keys = snowml._listed(by) %}

select *
from (
    {%- for column in snowml._listed(columns) %}
    select
        {%- for key in keys %}
        coalesce(ours.{{ key }}, theirs.{{ key }}) as {{ key }},
        {%- endfor %}
        '{{ column }}' as in_column,
        cast(ours.{{ column }} as varchar) as here,
        cast(theirs.{{ column }} as varchar) as there,
        case
            when ours.snowml_here is null then 'missing here'
            when theirs.snowml_there is null then 'missing there'
            else 'differs'
        end as problem
    from (select rows_here.*, 1 as snowml_here from (select * from {{ model }}) as rows_here) as ours
    full outer join (select rows_there.*, 1 as snowml_there from (select * from {{ reference }}) as rows_there) as theirs
        on {{ snowml._same_keys('ours', 'theirs', keys) }}
    where
        ours.snowml_here is null
        or theirs.snowml_there is null
        or (ours.{{ column }} is null) <> (theirs.{{ column }} is null)
        {%- if tolerance %}
        or abs(ours.{{ column }} - theirs.{{ column }}) > {{ tolerance }}
        {%- else %}
        or ours.{{ column }} <> theirs.{{ column }}
        {%- endif %}
    {{ 'union all' if not loop.last }}
    {%- endfor %}
) as compared
{%- if missing == 'passes' %}
where problem = 'differs'
{%- endif %}

{% endtest %}
