"""The metrics as SQL over `labelled`; scikit-learn's definitions, in text that both dialects read.

Counts are divided as doubles: Snowflake keeps six digits of a quotient of integers.
"""

from collections.abc import Mapping
from typing import Final

from snowml.records import Task

METRICS: Final[Mapping[Task, tuple[str, ...]]] = {
    "classification": ("roc_auc", "average_precision", "brier", "log_loss", "accuracy"),
    "regression": ("mae", "rmse", "r2", "median_ae"),
}

MULTICLASS: Final = ("roc_auc", "log_loss", "accuracy", "macro_f1")
"""Those of a classification of more than two classes."""

# Rows are grouped by distinct score, so ties are met as scikit-learn meets them: half a win for the area
# under the curve, one threshold for average precision. From the highest score down, `above` and `seen`
# count what is at or above it. log_loss keeps each probability off 0 and 1 by the spacing of doubles at 1.
_CLASSIFICATION = """,
by_score as (
  select score, count(*) as n, sum(y) as positives from labelled group by score
),
ranked as (
  select
    n, positives,
    sum(n) over (order by score desc rows between unbounded preceding and current row) as seen,
    sum(positives) over (order by score desc rows between unbounded preceding and current row) as above
  from by_score
),
ranking as (
  select
    cast(sum((n - positives) * (2 * above - positives)) as double)
      / nullif(2e0 * cast(sum(positives) as double) * cast(sum(n - positives) as double), 0e0) as roc_auc,
    case when sum(n - positives) > 0 then
      sum(cast(positives as double) * cast(above as double) / cast(seen as double))
        / nullif(cast(sum(positives) as double), 0e0)
    end as average_precision
  from ranked
),
errors as (
  select
    count(*) as row_count,
    avg((score - y) * (score - y)) as brier,
    -avg(ln(greatest(2.220446049250313e-16, least(0.9999999999999998e0,
      case when y = 1 then score else 1e0 - score end)))) as log_loss,
    cast(sum(hit) as double) / nullif(cast(count(*) as double), 0e0) as accuracy
  from labelled
)
select
  (select count(*) from scored) as scored_count, row_count,
  roc_auc, average_precision, brier, log_loss, accuracy
from errors cross join ranking"""

# The spread of the labels is taken around their mean in a second pass, as scikit-learn does: sums of
# squares cancel.
_REGRESSION = """,
center as (
  select avg(y) as mean, min(y) as lowest, max(y) as highest from labelled
),
errors as (
  select
    count(*) as row_count,
    avg(abs(p - y)) as mae,
    sqrt(avg((p - y) * (p - y))) as rmse,
    sum((p - y) * (p - y)) as unexplained,
    sum((y - mean) * (y - mean)) as spread,
    median(abs(p - y)) as median_ae
  from labelled cross join center
)
select
  (select count(*) from scored) as scored_count, row_count, mae, rmse,
  case when lowest < highest then 1e0 - unexplained / nullif(spread, 0e0) end as r2,
  median_ae
from errors cross join center"""

FINAL: Final[Mapping[Task, str]] = {"classification": _CLASSIFICATION, "regression": _REGRESSION}


# Each class against all others: their mean counts each class alike. A label that the model has never seen has a
# probability of 0.
_MULTICLASS = """,
by_class as (
  {by_class}
),
by_score as (
  select c, score, count(*) as n, sum(positive) as positives from by_class group by c, score
),
ranked as (
  select
    c, n, positives,
    sum(positives) over (
      partition by c order by score desc rows between unbounded preceding and current row
    ) as above
  from by_score
),
ranking as (
  select
    c,
    cast(sum((n - positives) * (2 * above - positives)) as double)
      / nullif(2e0 * cast(sum(positives) as double) * cast(sum(n - positives) as double), 0e0) as roc_auc
  from ranked
  group by c
),
counted as (
  select c, sum(positive * predicted) as hits, sum(positive) + sum(predicted) as named
  from by_class
  group by c
),
errors as (
  select
    count(*) as row_count,
    -avg(ln(greatest(2.220446049250313e-16, least(0.9999999999999998e0, {true})))) as log_loss,
    cast(sum(case when y = a then 1 else 0 end) as double) / nullif(cast(count(*) as double), 0e0) as accuracy
  from labelled
)
select
  (select count(*) from scored) as scored_count, row_count,
  (select case when count(roc_auc) = {classes} then avg(roc_auc) end from ranking) as roc_auc,
  log_loss, accuracy,
  (
    select avg(case when named > 0 then 2e0 * cast(hits as double) / cast(named as double) else 0e0 end)
    from counted
  ) as macro_f1
from errors"""


def multiclass(classes: int) -> str:
    """The metrics over a `labelled` of more than two classes; see `labelled.labelled`."""
    each = [
        f"select {i} as c, case when y = {i} then 1 else 0 end as positive, "
        f"case when a = {i} then 1 else 0 end as predicted, p{i} as score from labelled"
        for i in range(classes)
    ]
    true = f"case y {' '.join(f'when {i} then p{i}' for i in range(classes))} else 0e0 end"
    return _MULTICLASS.format(by_class="\n  union all ".join(each), true=true, classes=classes)
