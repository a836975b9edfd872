from functools import partial

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from snowml.errors import DataError, SpecError
from snowml.records import Feature
from snowml.spec import columns as of_columns
from snowml.spec.columns import column_type
from snowml.spec.kinds import kind_of
from snowml.spec.location import locate_exposure, locate_settings

ROLES = [
    ("customer_id", "VARCHAR"),
    ("as_of", "TIMESTAMP"),
    ("churned", "BOOLEAN"),
    ("label_known_at", "DATE"),
]
COLUMNS = [*ROLES, ("visits", "BIGINT"), ("plan", "VARCHAR")]
FILE = "models/ml/churn.yml"


features = partial(of_columns.features, dialect="duckdb")


def refused(spec, columns, locator=None):
    with pytest.raises(SpecError) as caught:
        features(spec, columns, locator)
    return str(caught.value)


@pytest.mark.parametrize(
    "sql_type",
    [
        *(
            "TINYINT",
            "SMALLINT",
            "INTEGER",
            "BIGINT",
            "HUGEINT",
            "UBIGINT",
            "FLOAT",
            "REAL",
            "DOUBLE",
            "BOOLEAN",
        ),
        *("DECIMAL(10,2)", "NUMBER(38,0)", "NUMBER", "double", "Decimal(18,3)", "DOUBLE PRECISION"),
    ],
)
def test_integers_decimals_floats_and_booleans_are_numbers(sql_type):
    assert kind_of(sql_type) == "number"


@pytest.mark.parametrize(
    "sql_type",
    ["VARCHAR", "TEXT", "VARCHAR(20)", "STRING", "ENUM('a', 'b(')", "CHAR(1)", "VARCHAR(9) COLLATE 'en-ci'"],
)
def test_text_is_a_category(sql_type):
    assert kind_of(sql_type) == "category"


@pytest.mark.parametrize(
    "sql_type",
    ["DATE", "TIMESTAMP", "TIMESTAMP WITH TIME ZONE", "TIMESTAMP_NTZ(9)", "TIMESTAMP_S", "DATETIME"],
)
def test_dates_and_timestamps_are_moments(sql_type):
    assert kind_of(sql_type) == "moment"


@pytest.mark.parametrize(
    "sql_type",
    [
        "INTEGER[]",
        "DECIMAL(10,2)[]",
        "VARCHAR[3]",
        "STRUCT(a INTEGER, b VARCHAR)",
        "MAP(VARCHAR, INTEGER)",
        "DATE[]",
        "TIME",
        "INTERVAL",
        "BLOB",
        "UUID",
        "VARIANT",
        "ARRAY",
        "OBJECT",
        "VECTOR(FLOAT, 3)",
        "",
    ],
)
def test_other_types_are_nothing(sql_type):
    assert kind_of(sql_type) is None


def test_every_column_without_another_role_is_a_feature_in_order(project):
    assert features(project.read(), COLUMNS) == (
        Feature(name="visits", kind="number"),
        Feature(name="plan", kind="category"),
    )


def test_excluded_columns_are_no_features_whatever_their_type(project):
    spec = project.read(overrides={"features.exclude": ["PLAN", "seen"]})
    assert [feature.name for feature in features(spec, [*COLUMNS, ("seen", "DATE[]")])] == ["visits"]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.booleans(), min_size=len(COLUMNS), max_size=len(COLUMNS)))
def test_the_case_of_plain_names_does_not_matter(project, upper):
    spec = project.read()
    columns = [(name.upper() if up else name, kind) for up, (name, kind) in zip(upper, COLUMNS, strict=True)]
    assert features(spec, columns) == features(spec, COLUMNS)


def test_snowflake_takes_no_boolean_and_duckdb_does(project):
    spec, columns = project.read(), [*COLUMNS, ("active", "BOOLEAN")]
    assert features(spec, columns)[-1] == Feature(name="active", kind="number")
    message = r"(?s)column 'active' is BOOLEAN, which snowflake casts to no FLOAT.*cast\(active as int\)"
    with pytest.raises(SpecError, match=message):
        of_columns.features(spec, columns, dialect="snowflake")


def test_an_odd_name_is_kept_to_the_letter(project):
    assert features(project.read(), [*ROLES, ("Größe in m", "DOUBLE")])[0].name == "Größe in m"


def test_a_type_that_no_feature_can_be_is_refused(project):
    assert refused(project.read(), [*COLUMNS, ("seen", "DATE")]) == (
        "features: column 'seen' is DATE, which no feature can be."
        " Cast it to a number or to text, or add it to features.exclude."
    )


@pytest.mark.parametrize(
    ("gone", "there", "line", "message"),
    [
        ("customer_id", "custmer_id", 10, "entity: no column 'customer_id' in main.churn_training_set."),
        ("as_of", "asof", 11, "as_of: no column 'as_of' in main.churn_training_set. Did you mean 'asof'?"),
        (
            "churned",
            "churn",
            12,
            "label: no column 'churned' in main.churn_training_set. Did you mean 'churn'?",
        ),
        (
            "label_known_at",
            "label_at",
            13,
            "label_at: no column 'label_known_at' in main.churn_training_set.",
        ),
    ],
)
def test_a_missing_column_is_told_with_the_line_of_the_key_that_names_it(project, gone, there, line, message):
    columns = [(there if name == gone else name, kind) for name, kind in COLUMNS]
    locator = locate_settings(locate_exposure(project.folder, FILE, "churn"))
    assert f"{FILE}:{line}: {message}" in refused(project.read(), columns, locator)
    assert message in refused(project.read(), columns)


def test_an_excluded_column_that_does_not_exist_is_refused(project):
    project.replace("{exclude: []}", "{exclude: [visit]}")
    locator = locate_settings(locate_exposure(project.folder, FILE, "churn"))
    assert refused(project.read(), COLUMNS, locator) == (
        f"{FILE}:17: features.exclude: no column 'visit' in main.churn_training_set. Did you mean 'visits'?"
    )


@pytest.mark.parametrize(
    ("overrides", "column", "sql_type", "message"),
    [
        (
            {},
            "as_of",
            "VARCHAR",
            "as_of: column 'as_of' is VARCHAR, and must be a date or timestamp. Cast it.",
        ),
        ({}, "label_known_at", "BIGINT", "label_at: column 'label_known_at' is BIGINT, and must be a date"),
        ({}, "churned", "DATE", "label: column 'churned' is DATE, and must be a number or text. Cast it."),
        (
            {
                "task": "regression",
                "estimator": "ridge",
                "params": {},
                "metric": "mae",
                "positive": None,
                "gates": [],
            },
            "churned",
            "TEXT",
            "label: column 'churned' is TEXT, and must be a number. Cast it.",
        ),
    ],
)
def test_a_role_of_the_wrong_type_is_refused(project, overrides, column, sql_type, message):
    columns = [(name, sql_type if name == column else kind) for name, kind in COLUMNS]
    assert refused(project.read(overrides=overrides), columns).startswith(message)


def test_a_table_without_features_is_refused(project):
    assert (
        refused(project.read(), ROLES) == "features: no column of main.churn_training_set is left to be one."
    )


def test_columns_that_differ_only_in_case_are_refused(project):
    expected = "features: columns 'visits' and 'VISITS' differ only in case. Rename one."
    assert refused(project.read(), [*COLUMNS, ("VISITS", "BIGINT")]) == expected


def test_all_wrong_columns_come_in_one_error(project):
    columns = [*COLUMNS[1:], ("a", "DATE"), ("b", "BLOB")]
    assert len(refused(project.read(), columns).splitlines()) == 3


def test_a_columns_type_is_found_whatever_its_case():
    assert column_type([("CHURNED", "NUMBER(1,0)")], "churned") == "NUMBER(1,0)"
    assert column_type(COLUMNS, "VISITS") == "BIGINT"


def test_the_type_of_a_column_that_does_not_exist_is_refused():
    with pytest.raises(DataError, match=r"^no column 'visit'\. Did you mean 'visits'\?$"):
        column_type(COLUMNS, "visit")
