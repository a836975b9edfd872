"""What an audit asks, on a small project whose rows say when they arrived."""

from datetime import datetime
from pathlib import Path

import meters
import pytest

pytestmark = pytest.mark.dbt

CUT = datetime(2024, 2, 10, 7, 0, 1)
DATED_SOURCE = """\
sources:
  - name: raw
    schema: raw
    tables:
      - {name: meters}
      - {name: failures}
      - name: readings
        config:
          event_time: read_at
          meta: {snowml: {arrived_at: loaded_at}}
"""


@pytest.fixture
def project(tmp_path: Path) -> meters.Meters:
    return meters.meters(tmp_path / "meters")


def test_honest_features_pass_at_any_moment(project: meters.Meters) -> None:
    assert project.audit() == {}
    assert project.audit(CUT, datetime(2024, 1, 20), datetime(2024, 2, 3, 13, 37)) == {}


def test_a_reading_that_came_late_may_not_be_used_before_it_came(project: meters.Meters) -> None:
    project.replace(
        "models/meter_features.sql", "greatest(read_at, loaded_at) as usable_at", "read_at as usable_at"
    )
    found = project.audit()
    assert set(found) == {"future_invariance"}
    assert "value_3d: in meter_features, failing_training_set: " in found["future_invariance"]


def test_that_is_found_only_where_the_arrival_is_declared(project: meters.Meters) -> None:
    project.replace(
        "models/meter_features.sql", "greatest(read_at, loaded_at) as usable_at", "read_at as usable_at"
    )
    project.replace("models/dated.yml", ", meta: {snowml: {arrived_at: loaded_at}}", "")
    assert project.audit(CUT) == {}


def test_a_scoring_set_may_read_the_training_set(project: meters.Meters) -> None:
    project.write(
        "models/failing_scoring_set.sql",
        "select * exclude (failed, label_known_at) from {{ ref('failing_training_set') }}",
    )
    assert project.audit(CUT) == {}


def test_a_newest_fact_after_as_of_is_named(project: meters.Meters) -> None:
    project.replace(
        "models/meter_features.sql",
        "max(readings.usable_at) as",
        "max(readings.usable_at) + interval 3 day as",
    )
    found = project.audit(CUT)
    assert set(found) == {"known_at"}
    assert "meter_features.newest_fact_at: " in found["known_at"]
    assert "newest_fact_at=2024-" in found["known_at"]


def test_a_label_known_at_as_of_is_no_prediction(project: meters.Meters) -> None:
    project.replace(
        "models/failing_training_set.sql", "features.as_of + interval '4 days' as", "features.as_of as"
    )
    found = project.audit(CUT)
    assert "the label was known when it was to be predicted" in found["known_at"]


def test_facts_without_a_moment_are_counted(project: meters.Meters) -> None:
    project.execute("update raw.readings set read_at = null, loaded_at = null where value > 120")
    assert "stg_readings: " in project.audit(CUT)["known_at"]


def test_a_path_without_a_date_is_named_from_end_to_end(project: meters.Meters) -> None:
    project.replace(
        "models/dated.yml",
        "config: {event_time: read_at, meta: {snowml: {arrived_at: loaded_at}}}",
        "config: {}",
    )
    found = project.audit(CUT)
    assert (
        "failing_training_set ← meter_features ← stg_readings ← raw.readings: nothing on this path"
        in found["dated_paths"]
    )


def test_a_static_node_that_reads_facts_is_not_believed(project: meters.Meters) -> None:
    project.replace(
        "models/stg_rounds.sql",
        "from {{ ref('stg_meters') }} cross",
        """from (
        select m.meter from {{ ref('stg_meters') }} as m inner join {{ ref('stg_failures') }} as f using (meter)
        group by 1 having max(f.failed_at) > timestamp '2024-02-25'
    ) as m cross""",
    )
    found = project.audit(CUT)
    assert "(the row itself)" in found["future_invariance"]


def test_a_history_made_of_other_facts_is_cut_by_its_own_moment_too(project: meters.Meters) -> None:
    # A day's mean, said to be known when the day begins.
    project.write(
        "models/daily.sql",
        "select meter, date_trunc('day', read_at) as day, avg(value) as value\n"
        "from {{ ref('stg_readings') }} group by 1, 2",
    )
    project.write("models/daily.yml", "models: [{name: daily, config: {event_time: day}}]")
    project.replace(
        "models/meter_features.sql",
        "any_value(meters.built)",
        """any_value((
        select d.value from {{ ref('daily') }} as d
        where d.meter = rounds.meter and d.day = date_trunc('day', rounds.as_of)
    ))""",
    )
    assert "built: in meter_features" in project.audit()["future_invariance"]


@pytest.mark.parametrize("by", ["readings.usable_at", "readings.read_at"])
def test_a_source_that_is_dated_itself_needs_no_model_before_it(project: meters.Meters, by: str) -> None:
    project.write("models/sources.yml", DATED_SOURCE)
    project.replace(
        "models/meter_features.sql", "{{ ref('stg_readings') }}", "{{ source('raw', 'readings') }}"
    )
    project.replace("models/meter_features.sql", "readings.usable_at <=", f"{by} <=")
    found = project.audit()
    assert set(found) == (set() if by == "readings.usable_at" else {"future_invariance", "known_at"})


def test_a_source_that_is_a_file_is_cut_too(project: meters.Meters) -> None:
    file = project.folder / "readings.parquet"
    project.execute(f"copy raw.readings to '{file}' (format parquet); drop table raw.readings")
    where = f"meta: {{external_location: 'read_parquet(''{file}'')'}}"
    project.write(
        "models/sources.yml", DATED_SOURCE.replace("- name: readings", f"- name: readings\n        {where}")
    )
    project.replace(
        "models/meter_features.sql", "{{ ref('stg_readings') }}", "{{ source('raw', 'readings') }}"
    )
    assert project.audit(CUT) == {}
    project.replace(
        "models/meter_features.sql", "readings.usable_at <=", "readings.usable_at - interval 1 day <="
    )
    assert "future_invariance" in project.audit(CUT)


def test_rows_that_occur_twice_are_found(project: meters.Meters) -> None:
    row = "('meter 1', timestamp '2024-01-10 07:00', 2001, 1.0, 1, true, timestamp '2024-01-14 07:00')"
    project.replace(
        "models/failing_training_set.sql",
        "group by all",
        f"group by all union all (select * from (values {row}, {row}) as t)",
    )
    assert "occur more than once, such as meter=meter 1" in project.audit(CUT)["split_overlap"]


def test_entities_may_be_on_both_sides_unless_the_model_says_otherwise(project: meters.Meters) -> None:
    project.replace(
        "models/exposure.yml",
        "          estimator:",
        "          audit: {unseen_entities: true}\n          estimator:",
    )
    assert "which audit.unseen_entities forbids" in project.audit(CUT)["split_overlap"]


def test_the_limit_of_a_feature_alone_can_be_set(project: meters.Meters) -> None:
    project.replace(
        "models/exposure.yml", "          estimator:", "          audit: {max_auc: 0.3}\n          estimator:"
    )
    assert "alone it predicts the label with AUC" in project.audit(CUT)["label_proxy"]


def test_the_command_tells_the_checks_and_ends_with_the_answer(project: meters.Meters) -> None:
    cut = ["--cut", "2024-02-10T07:00:01", "--as-of", "2024-03-01"]
    answer = project.cli("audit", "failing", *cut, "--json")
    assert answer.code == 0, answer.err
    names = ["dated_paths", "known_at", "future_invariance", "label_proxy", "split_overlap"]
    assert (answer.json["model"], answer.json["passed"]) == ("failing", True)
    assert [check["name"] for check in answer.json["checks"]] == names
    assert all(set(check) == {"name", "passed", "detail"} for check in answer.json["checks"])
    project.replace(
        "models/meter_features.sql",
        "readings.usable_at <= rounds.as_of\n",
        "readings.usable_at <= rounds.as_of + interval 1 day\n",
    )
    answer = project.cli("audit", "--all", *cut)
    assert answer.code == 1
    assert "error: The audit failed: failing: " in answer.err
    assert "FAILED  future_invariance: value_3d: in meter_features" in answer.out
    assert "Remedy: let the feature read only facts with known_at <= as_of" in answer.out
    kept = project.rows(
        "select name, list(passed order by audited_at) from analytics_snowml.audits group by 1"
    )
    found = {"future_invariance", "known_at"}
    assert dict(kept) == {name: [True, name not in found] for name in names}


@pytest.mark.parametrize(("cut", "words"), [("2024-03-05", "is not before"), ("soon", "is no date or time")])
def test_a_cut_that_cuts_nothing_is_refused(project: meters.Meters, cut: str, words: str) -> None:
    answer = project.cli("audit", "failing", "--as-of", "2024-03-01", "--cut", cut)
    assert answer.code == 2
    assert words in answer.err


def test_a_training_set_without_rows_says_so(project: meters.Meters) -> None:
    answer = project.cli("audit", "failing", "--as-of", "2023-01-01")
    assert answer.code == 2
    assert "failing_training_set has no row" in answer.err


def test_a_failed_build_leaves_nothing_behind(project: meters.Meters) -> None:
    project.write("models/meter_features.sql", "select 1 as")
    answer = project.cli("audit", "failing", "--as-of", "2024-03-01")
    assert answer.code == 2
    assert "meter_features" in answer.err
    assert project.rows("select 1 from duckdb_schemas() where schema_name like '%audit%'") == []
