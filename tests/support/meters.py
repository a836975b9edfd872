"""A small dbt project whose rows say when they arrived: meters, what they read, and when they fail."""

import contextlib
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import duckdb
import shop

from snowml.shipped import dbt_package

AS_OF = datetime(2024, 3, 1)
NOW = datetime(2024, 3, 2)

PROJECT = """\
name: meters
version: 1.0.0
config-version: 2
profile: meters
flags: {send_anonymous_usage_stats: false}
models:
  meters:
    +materialized: table
"""

PROFILES = """\
meters:
  target: dev
  outputs:
    dev:
      type: duckdb
      path: meters.duckdb
      schema: analytics
      threads: 1
      keep_open: false
      config_options: {storage_compatibility_version: v1.4.0}
      settings: {TimeZone: UTC}
      plugins:
        - module: snowml.engines.duckdb.dbt_plugin
"""

# A reading reaches the warehouse within the hour; one in seven comes a day late.
RAW = """\
create schema raw;
create table raw.meters as select 'meter ' || i as meter, 2000 + i as built from range(8) as numbers(i);
create table raw.readings as
select
    'meter ' || (i % 8) as meter,
    timestamp '2024-01-01 00:17:00' + to_minutes(97 * i) as read_at,
    -- A decimal: the sum of doubles depends on their order in its last digits.
    cast(((i * 7919) % 997) / 10.0 + 5 * (i % 8) as decimal(9, 2)) as value,
    read_at + case when i % 7 = 0 then interval '26 hours' else interval '20 minutes' end as loaded_at
from range(900) as numbers(i);
create table raw.failures as
select
    'meter ' || (i % 8) as meter,
    timestamp '2024-01-02 05:00:00' + to_hours(31 * i) as failed_at,
    failed_at + interval '2 hours' as loaded_at
from range(50) as numbers(i);
"""

DATED = """\
models:
  - name: stg_meters
    description: The register of meters.
    config: {meta: {snowml: {static: true}}}
  - name: stg_rounds
    description: Each meter at seven each morning.
    config: {meta: {snowml: {static: true}}}
  - name: stg_readings
    description: What meters read.
    config: {event_time: read_at, meta: {snowml: {arrived_at: loaded_at}}}
  - name: stg_failures
    description: Meters that failed.
    config: {event_time: failed_at, meta: {snowml: {arrived_at: loaded_at}}}
  - name: meter_features
    description: What is known of a meter each morning.
    config:
      event_time: as_of
      meta: {owner: The readers, snowml: {known_at: newest_fact_at}}
    columns:
      - name: value_3d
        description: Mean reading of three days.
"""

SOURCES = """\
sources:
  - name: raw
    schema: raw
    tables: [{name: meters}, {name: readings}, {name: failures}]
"""

# The honest features join by the moment at which a reading was there to be read.
FEATURES = """\
with

readings as (
    select *, greatest(read_at, loaded_at) as usable_at from {{ ref('stg_readings') }}
)

select
    rounds.meter,
    rounds.as_of,
    any_value(meters.built) as built,
    avg(readings.value) as value_3d,
    count(readings.value) as readings_3d,
    max(readings.usable_at) as newest_fact_at
from {{ ref('stg_rounds') }} as rounds
inner join {{ ref('stg_meters') }} as meters on rounds.meter = meters.meter
left join readings
    on rounds.meter = readings.meter
    and readings.usable_at <= rounds.as_of
    and readings.usable_at > rounds.as_of - interval '3 days'
group by 1, 2
"""

TRAINING_SET = """\
select
    features.meter,
    features.as_of,
    features.built,
    features.value_3d,
    features.readings_3d,
    count(failures.meter) > 0 as failed,
    features.as_of + interval '4 days' as label_known_at
from {{ ref('meter_features') }} as features
left join {{ ref('stg_failures') }} as failures
    on features.meter = failures.meter
    and failures.failed_at > features.as_of
    and failures.failed_at <= features.as_of + interval '3 days'
where features.as_of + interval '4 days' <= {{ snowml.as_of() }}
group by all
"""

EXPOSURE = """\
exposures:
  - name: failing
    type: ml
    owner: {name: The readers}
    depends_on: [ref('failing_training_set'), ref('failing_scoring_set')]
    config:
      meta:
        snowml:
          task: classification
          entity: meter
          as_of: as_of
          label: failed
          label_at: label_known_at
          positive: true
          training_set: failing_training_set
          scoring_set: failing_scoring_set
          split: {validation: 10 days, test: 10 days}
          estimator: logistic_regression
"""

FILES = {
    "dbt_project.yml": PROJECT,
    "profiles.yml": PROFILES,
    "packages.yml": f"packages:\n  - local: {dbt_package().as_posix()}\n",
    "models/sources.yml": SOURCES,
    "models/dated.yml": DATED,
    "models/exposure.yml": EXPOSURE,
    "models/stg_meters.sql": "select * from {{ source('raw', 'meters') }}",
    "models/stg_readings.sql": "select * from {{ source('raw', 'readings') }}",
    "models/stg_failures.sql": "select * from {{ source('raw', 'failures') }}",
    "models/stg_rounds.sql": (
        "select meter, timestamp '2024-01-04 07:00:00' + to_days(cast(day as integer)) as as_of\n"
        "from {{ ref('stg_meters') }} cross join range(60) as days(day)"
    ),
    "models/meter_features.sql": FEATURES,
    "models/failing_training_set.sql": TRAINING_SET,
    "models/failing_scoring_set.sql": "select * exclude (newest_fact_at) from {{ ref('meter_features') }}",
}


@dataclass(frozen=True)
class Meters(shop.Shop):
    """A copy of the project."""

    file: str = "meters.duckdb"

    def audit(self, *cuts: datetime) -> dict[str, Any]:
        """Check → what it says; only failed ones."""
        from snowml.workflows.audit import audit

        done = audit(self.dbt(), "failing", as_of=AS_OF, now=NOW, cuts=cuts)
        return {check.name: check.detail for check in done.checks if not check.passed}

    def execute(self, sql: str) -> None:
        with contextlib.closing(duckdb.connect(str(self.folder / self.file))) as connection:
            connection.execute(sql)


def meters(folder: Path) -> Meters:
    """The project in `folder`, with its raw tables; nothing is built."""
    for name, text in FILES.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, "utf-8")
    made = Meters(folder)
    made.execute(RAW)
    return made
