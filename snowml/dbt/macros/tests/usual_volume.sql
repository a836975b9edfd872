{% test usual_volume(model, column_name, at_least=0.5, at_most=2, period='day', before=28, last=7) %}
{{ snowml._require(period in ['hour', 'day', 'week', 'month'], 'usual_volume',
  "counts by hour, day, week or month, and not by '" ~ period ~ "'.") }}
{%- set now = dbt.date_trunc(period, snowml.as_of()) %}

-- Whole periods only: the one that as_of lies in is not over.
select *
from (
    select
        period_begins,
        rows_in_period,
        avg(rows_in_period) over (order by period_begins rows between {{ before }} preceding and 1 preceding) as rows_usual
    from (
        select {{ dbt.date_trunc(period, column_name) }} as period_begins, count(*) as rows_in_period
        from {{ model }}
        where {{ column_name }} < {{ now }}
        group by 1
    ) as counted
) as compared
where
    period_begins >= {{ dbt.dateadd(period, -last, now) }}
    and (rows_in_period < {{ at_least }} * rows_usual or rows_in_period > {{ at_most }} * rows_usual)

{% endtest %}
