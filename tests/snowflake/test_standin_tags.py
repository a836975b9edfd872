"""Tags on the stand-in: kept, shown on what has them, and refused where an account would refuse them."""

import json

import pytest
from snowflake.connector.errors import ProgrammingError


@pytest.fixture
def tagged(ask):
    ask("create table t (a float)")
    ask("create tag colour allowed_values 'red', 'blue' comment = 'of it'")
    ask("create tag size")
    ask(
        "create view v (a comment 'a number') comment = 'it''s one' "
        "tag (colour = 'red', size = 'big') as select a from t"
    )


def references(ask, domain, name, wanted):
    ((found,),) = ask(f"select entity_detail('{domain}', '{name}', '[\"{wanted}\"]')")
    ((part),) = json.loads(found).values()
    return [(one["entityName"], one["tagName"], one["tagValue"]) for one in part["tagReferenceList"]]


def test_tags_are_told_from_both_ends(ask, tagged):
    assert references(ask, "TAG", "colour", "TAG_REFERENCES_INTERNAL") == [("V", "COLOUR", "red")]
    assert references(ask, "table", "v", "TAG_REFERENCES") == [("V", "COLOUR", "red"), ("V", "SIZE", "big")]
    ask("alter table t set tag colour = 'blue'")
    assert len(references(ask, "TAG", "colour", "TAG_REFERENCES_INTERNAL")) == 2
    ask("drop tag colour")
    assert references(ask, "table", "v", "TAG_REFERENCES") == [("V", "SIZE", "big")]
    ask("drop view v")
    assert references(ask, "TAG", "size", "TAG_REFERENCES_INTERNAL") == []


def test_a_view_with_tags_is_shown_as_it_was_written(ask, warehouse, tagged):
    described = ask("describe view v")
    assert "a number" in described[0]
    ask("insert into t values (1)")
    assert ask("select a from v") == [(1.0,)]
    (row,) = ask(f"show views like 'V' in schema {warehouse.database}.public")
    assert any(str(value).startswith("create view v (a comment") for value in row)
    assert "it's one" in row
    # Made anew without tags it has none.
    ask("create or replace view v as select a from t")
    assert references(ask, "TAG", "colour", "TAG_REFERENCES_INTERNAL") == []


@pytest.mark.parametrize(
    ("sql", "told"),
    [
        ("create view w tag (nothing = 'a') as select 1 as a", "NOTHING"),
        ("create view w tag (colour = 'green') as select 1 as a", "green is not allowed"),
        (f"create view w tag (size = '{'x' * 257}') as select 1 as a", "too long"),
        ("alter table t set tag nothing = 'a'", "NOTHING"),
        ("alter table nowhere set tag size = 'a'", "NOWHERE"),
        ("create tag size", "already exists"),
        ("drop tag nothing", "NOTHING"),
        ("select entity_detail('TAG', 'nothing', '[\"TAG_REFERENCES_INTERNAL\"]')", "NOTHING"),
        ("drop dynamic table d", "D"),
        ("create dynamic table d target_lag = '1 day' warehouse = w as select 1 as a", "DYNAMIC"),
    ],
)
def test_what_an_account_refuses_is_refused(ask, tagged, sql, told):
    with pytest.raises(ProgrammingError, match=told):
        ask(sql)


def test_warehouses_are_those_that_were_made(ask):
    ask("create warehouse if not exists tagged_wh")
    assert ask("show warehouses like 'TAGGED_WH'") == [("TAGGED_WH", "STARTED")]
    assert ask("show warehouses like 'NOBODYS_WH'") == []
