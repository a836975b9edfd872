"""What the macros write for Snowflake, without a Snowflake: the text, reviewed and kept, and read by its grammar.

The package's `snowflake__` macros stand in for DuckDB's by dbt's own dispatch. What dbt's adapter writes itself
(dateadd, quoting) is DuckDB's here; that a server accepts the text is not shown.
"""

import os
import re
from pathlib import Path

import pumps
import pytest
from lab import Lab
from sqlglot import exp, parse

from snowml.shipped import dbt_package

pytestmark = pytest.mark.dbt

GOLDEN = Path(__file__).parent / "snowflake"

SPINE = "spine=source('main', 'asked')"
HISTORY = "'from': source('main', 'sales'), 'by': 'shop'"
MODELS = {
    "rolling": f"""{{{{ snowml.rolling(
        {SPINE},
        histories=[
            {{{HISTORY}, 'lag': '1 hour', 'features': {{
                'mean_1d': 'mean(amount) over 1 day',
                'kinds_6h': 'distinct(kind) over 6 hours',
            }}}},
        ],
        exclusive=true
    ) }}}}""",
    "join": f"""{{{{ snowml.point_in_time_join(
        {SPINE},
        histories=[
            {{{HISTORY}, 'columns': ['amount'], 'max_age': '7 days', 'newest_by': 'kind'}},
            {{{HISTORY}, 'columns': {{'last_kind': 'kind'}}}},
        ]
    ) }}}}""",
    "training_set": f"""{{{{ snowml.training_set(
        {SPINE}, features=[ref('rolling')], label={{'from': source('main', 'outcomes'), 'columns': 'outcome'}}
    ) }}}}""",
    "scoring_set": f"{{{{ snowml.scoring_set({SPINE}, features=[ref('rolling')], over='7 days') }}}}",
    "buckets": """select
        {{ snowml.bucket(['shop', 'visit'], 100, 'salt') }} as bucket,
        {{ snowml.split(by='shop', validation=0.1, test=0.2) }} as part,
        {{ snowml.split(validation='30 days', test='1 week') }} as part_by_time,
        {{ snowml._moment_text('max(asked_at)') }} as newest
    from {{ source('main', 'asked') }}""",
    "tail": """{{ snowml.replace_tail({
        'target_relation': 'target', 'temp_relation': 'computed', 'dest_columns': [{'name': 'SHOP'}, {'name': 'AS_OF'}]
    }) }}""",
    "sound": "{{ snowml.sound_rows(source('main', 'sales'), contract={'is_there': 'amount is not null'}) }}",
    "quarantined": """{{ snowml.quarantine(
        source('main', 'sales'), contract={'a': 'amount > 0', 'b': "kind <> 'x'"}
    ) }}""",
}

SOURCES = """\
sources:
  - name: main
    schema: main
    tables:
      - {name: asked, config: {meta: {snowml: {entity: [shop, visit], as_of: asked_at}}}}
      - {name: sales, config: {meta: {snowml: {known_at: sold_at, arrived_at: loaded_at}}}}
      - {name: outcomes, config: {meta: {snowml: {known_at: told_at}}}}
"""

# What Snowflake has not, or means otherwise.
FOREIGN = re.compile(
    r"\basof left join|\bstrftime|\bubigint|\bregexp_full_match|\bisodow|\bcount_if|\bby name\b|\blist_|\bstruct_pack",
    re.IGNORECASE,
)


def as_for_snowflake(project: str) -> str:
    """Macros of a project that stand in for DuckDB's, one for each `snowflake__` macro of the package."""
    names = {
        name
        for file in (dbt_package() / "macros").rglob("*.sql")
        for name in re.findall(r"{%-? macro snowflake__(\w+)\(", file.read_text("utf-8"))
    }
    assert len(names) >= 10, project
    return "\n".join(
        f"{{% macro duckdb__{name}() %}}{{{{ return(snowml.snowflake__{name}(*varargs, **kwargs)) }}}}{{% endmacro %}}"
        for name in sorted(names)
    )


def dispatched(project: str) -> str:
    return f"\ndispatch:\n  - {{macro_namespace: snowml, search_order: [{project}, snowml]}}\n"


@pytest.fixture(scope="module")
def texts(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Model → what it is for Snowflake."""
    lab = Lab(tmp_path_factory.mktemp("text") / "lab", **MODELS)
    lab.write("models/sources.yml", SOURCES)
    lab.write("macros/snowflake.sql", as_for_snowflake("lab"))
    lab.write("dbt_project.yml", (lab.folder / "dbt_project.yml").read_text("utf-8") + dispatched("lab"))
    results = lab.run("compile")
    return {
        name: re.sub(r"[ \t]+$", "", results[name].node.compiled_code.strip(), flags=re.M) for name in MODELS
    }


@pytest.mark.parametrize("name", sorted(MODELS))
def test_the_text_is_as_it_was_reviewed(texts: dict[str, str], name: str) -> None:
    file = GOLDEN / f"{name}.sql"
    if os.environ.get("SNOWML_WRITE_GOLDEN"):
        file.parent.mkdir(exist_ok=True)
        file.write_text(texts[name] + "\n", "utf-8")
    assert texts[name] + "\n" == file.read_text("utf-8")


@pytest.mark.parametrize("name", sorted(MODELS))
def test_the_text_is_snowflakes(texts: dict[str, str], name: str) -> None:
    check(name, texts[name])


def test_the_second_project_is_snowflakes_too(tmp_path: Path) -> None:
    project = pumps.written(tmp_path / "pumps")
    project.write("macros/snowflake.sql", as_for_snowflake("pumps"))
    lab = Lab.at(project.folder)
    settings = (project.folder / "dbt_project.yml").read_text("utf-8")
    project.write("dbt_project.yml", settings + dispatched("pumps"))
    compiled = {
        name: result.node.compiled_code
        for name, result in lab.run("compile").items()
        if result.node.resource_type in {"model", "test"}
    }
    assert len(compiled) > 50
    for name, text in compiled.items():
        if not name.startswith("raw_"):
            check(name, text)


def check(name: str, text: str) -> None:
    found = FOREIGN.search(text)
    assert not found, f"{name}: {found[0] if found else ''}"
    statements = parse(text, dialect="snowflake")
    assert statements, name
    for statement in statements:
        assert statement is not None
        assert not list(statement.find_all(exp.Command)) or name == "tail", name
