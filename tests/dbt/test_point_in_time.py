"""Rolling features and point-in-time joins against the same thing said in plain Python, on awkward data."""

import random
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from lab import Lab

pytestmark = pytest.mark.dbt

START = datetime(2024, 5, 1)
HOUR = timedelta(hours=1)
MICRO = timedelta(microseconds=1)

SOURCES = """\
sources:
  - name: main
    schema: main
    tables:
      - name: asked
        config: {meta: {snowml: {entity: [shop, visit], as_of: asked_at}}}
      - name: sales
        config: {meta: {snowml: {known_at: sold_at}}}
      - name: parcels
        config: {meta: {snowml: {known_at: sent_at, arrived_at: booked_at}}}
      - name: prices
        config: {meta: {snowml: {known_at: since}}}
"""

ROLLING = """\
{{{{ snowml.rolling(
    spine=source('main', 'asked'),
    histories=[
        {{'from': source('main', 'sales'), 'by': 'shop', 'features': {{
            'rows_6h': 'count(*) over 6 hours',
            'values_6h': 'count(amount) over 6 hours',
            'sum_6h': 'sum(amount) over 6 hours',
            'mean_1d': 'mean(amount) over 1 day',
            'rate_6h': 'rate(amount > 5) over 6 hours',
            'min_6h': 'min(amount) over 6 hours',
            'max_3h': 'max(amount) over 3 hours',
            'kinds_6h': 'distinct(kind) over 6 hours',
            'kinds_1h': 'distinct(kind) over 60 minutes',
        }}}},
        {{'from': source('main', 'parcels'), 'by': {{'shop': 'sender', 'visit': 'number'}}, 'lag': '2 hours',
          'features': {{'parcels_1d': 'count(*) over 1 day'}}}},
    ],
    exclusive={exclusive}
) }}}}
"""

JOIN = """\
{{{{ snowml.point_in_time_join(
    spine=source('main', 'asked'),
    histories=[
        {{'from': source('main', 'prices'), 'by': 'shop', 'columns': ['price', 'is_sale'], 'newest_by': 'revision'}},
        {{'from': source('main', 'prices'), 'by': 'shop', 'columns': {{'fresh_price': 'price + 1'}},
          'max_age': '5 hours', 'newest_by': 'revision'}},
        {{'from': source('main', 'parcels'), 'by': {{'visit': 'number', 'shop': 'sender'}}, 'columns': ['weight'],
          'lag': '30 minutes', 'newest_by': 'weight'}},
    ],
    keep=['note'],
    exclusive={exclusive}
) }}}}
"""

AGGREGATES: dict[str, tuple[str, timedelta]] = {
    "rows_6h": ("rows", 6 * HOUR),
    "values_6h": ("count", 6 * HOUR),
    "sum_6h": ("sum", 6 * HOUR),
    "mean_1d": ("mean", 24 * HOUR),
    "rate_6h": ("rate", 6 * HOUR),
    "min_6h": ("min", 6 * HOUR),
    "max_3h": ("max", 3 * HOUR),
    "kinds_6h": ("distinct", 6 * HOUR),
    "kinds_1h": ("distinct", HOUR),
}


class World:
    """Rows on a grid of half hours, so that ties and the ends of intervals are hit often, and now and then off it."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.asked = [
            {"shop": self.shop(), "visit": n % 7, "asked_at": self.time(), "note": f"visit {n}"}
            for n in range(300)
        ]
        self.sales = [
            {
                "shop": self.shop(),
                "sold_at": self.maybe(self.time()),
                "amount": self.maybe(self.random.randint(0, 10)),
                "kind": self.maybe(self.random.choice("abcd")),
            }
            for _ in range(400)
        ]
        self.parcels = [
            {
                "sender": self.shop(),
                "number": self.maybe(n % 7),
                "sent_at": self.time(),
                "booked_at": self.maybe(self.time()),
                "weight": n,
            }
            for n in range(300)
        ]
        self.prices = [
            {
                "shop": self.shop(),
                "since": self.maybe(self.time()),
                "revision": n,
                "price": self.maybe(n),
                "is_sale": self.maybe(n % 2 == 0),
            }
            for n in range(150)
        ]

    def maybe(self, value: Any) -> Any:
        return value if self.random.random() > 0.1 else None

    def shop(self) -> str | None:
        return self.maybe(self.random.choice(["north", "south", "O'Hara"]))

    def time(self) -> datetime:
        moment = START + self.random.randrange(150) * HOUR / 2
        return moment + MICRO * self.random.choice([0, 0, 0, 0, -1, 1])

    def load(self, lab: Lab) -> None:
        lab.load(
            asked=values(self.asked, "shop varchar, visit integer, asked_at timestamp, note varchar"),
            sales=values(self.sales, "shop varchar, sold_at timestamp, amount integer, kind varchar"),
            parcels=values(
                self.parcels,
                "sender varchar, number integer, sent_at timestamp, booked_at timestamp, weight integer",
            ),
            prices=values(
                self.prices,
                "shop varchar, since timestamp, revision integer, price integer, is_sale boolean",
            ),
        )


def values(rows: list[dict[str, Any]], types: str) -> str:
    """A query that gives the rows."""

    def literal(value: Any) -> str:
        if value is None:
            return "null"
        return "'" + str(value).replace("'", "''") + "'"

    columns = [column.split() for column in types.split(", ")]
    listed = ", ".join("(" + ", ".join(literal(row[name]) for name, _ in columns) + ")" for row in rows)
    casts = ", ".join(f"cast({name} as {type_}) as {name}" for name, type_ in columns)
    return f"select {casts} from (values {listed}) as given({', '.join(name for name, _ in columns)})"


def within(moment: datetime | None, asked_at: datetime, over: timedelta | None, exclusive: bool) -> bool:
    if moment is None or moment > asked_at or (exclusive and moment == asked_at):
        return False
    return over is None or moment >= asked_at - over


def booked(parcel: dict[str, Any], lag: timedelta) -> datetime:
    return max(parcel["sent_at"], parcel["booked_at"] or parcel["sent_at"]) + lag


def expected_rolling(world: World, exclusive: bool) -> list[tuple[Any, ...]]:
    rows = []
    for question in world.asked:
        shop, visit, asked_at = question["shop"], question["visit"], question["asked_at"]
        row = [shop, visit, asked_at]
        for kind, over in AGGREGATES.values():
            facts = [
                sale
                for sale in world.sales
                if shop is not None
                and sale["shop"] == shop
                and within(sale["sold_at"], asked_at, over, exclusive)
            ]
            row.append(aggregate(kind, facts))
        parcels = [
            parcel
            for parcel in world.parcels
            if shop is not None
            and (parcel["sender"], parcel["number"]) == (shop, visit)
            and within(booked(parcel, 2 * HOUR), asked_at, 24 * HOUR, exclusive)
        ]
        row.append(float(len(parcels)))
        rows.append(tuple(row))
    return rows


def aggregate(kind: str, facts: list[dict[str, Any]]) -> float | None:
    amounts = [fact["amount"] for fact in facts if fact["amount"] is not None]
    if kind == "rows":
        return float(len(facts))
    if kind == "count":
        return float(len(amounts))
    if kind == "distinct":
        return float(len({fact["kind"] for fact in facts} - {None}))
    if not amounts:
        return None
    if kind == "rate":
        return sum(amount > 5 for amount in amounts) / len(amounts)
    answers = {
        "sum": float(sum(amounts)),
        "mean": sum(amounts) / len(amounts),
        "min": min(amounts),
        "max": max(amounts),
    }
    return answers[kind]


def expected_join(world: World, exclusive: bool) -> list[tuple[Any, ...]]:
    rows = []
    for question in world.asked:
        shop, visit, asked_at = question["shop"], question["visit"], question["asked_at"]
        prices = [
            (price["since"], price["revision"], price)
            for price in world.prices
            if shop is not None
            and price["shop"] == shop
            and within(price["since"], asked_at, None, exclusive)
        ]
        newest = max(prices, key=lambda price: price[:2], default=(None, 0, {}))
        fresh = newest[0] is not None and newest[0] >= asked_at - 5 * HOUR
        price = newest[2].get("price")
        parcels = [
            (booked(parcel, HOUR / 2), parcel["weight"])
            for parcel in world.parcels
            if shop is not None
            and (parcel["sender"], parcel["number"]) == (shop, visit)
            and within(booked(parcel, HOUR / 2), asked_at, None, exclusive)
        ]
        rows.append(
            (
                shop,
                visit,
                question["note"],
                asked_at,
                price,
                newest[2].get("is_sale"),
                price + 1 if fresh and price is not None else None,
                max(parcels, default=(None, None))[1],
            )
        )
    return rows


def ordered(rows: list[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    return sorted(rows, key=repr)


@dataclass(frozen=True)
class Built:
    """A world, and the rows of each table that was built of it."""

    world: World
    tables: dict[str, list[tuple[Any, ...]]]
    hits: list[tuple[Any, ...]]


HITS = """
select
    count(*) filter (s.sold_at = a.asked_at - interval '6 hours'),
    count(*) filter (s.sold_at = a.asked_at),
    count(*) filter (s.sold_at = a.asked_at + interval '1 microsecond'),
    count(*) filter (a.shop is null and s.shop is null)
from asked as a inner join sales as s on a.shop is not distinct from s.shop
"""


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> list[Built]:
    """Three worlds, one after another in one project."""
    models = {f"rolling_{name}": ROLLING.format(exclusive=name) for name in ("true", "false")}
    models |= {f"join_{name}": JOIN.format(exclusive=name) for name in ("true", "false")}
    lab = Lab(tmp_path_factory.mktemp("labs") / "lab", **models)
    lab.write("models/sources.yml", SOURCES)
    made = []
    for seed in (1, 2, 3):
        world = World(seed)
        world.load(lab)
        assert set(lab.statuses("run").values()) == {"success"}
        made.append(
            Built(world, {name: lab.query(f"select * from {name}") for name in models}, lab.query(HITS))
        )
    return made


@pytest.mark.parametrize("exclusive", [False, True])
def test_rolling_features_are_what_was_known_in_the_interval(built: list[Built], exclusive: bool) -> None:
    for one in built:
        found = one.tables[f"rolling_{str(exclusive).lower()}"]
        assert ordered(found) == ordered(expected_rolling(one.world, exclusive))


@pytest.mark.parametrize("exclusive", [False, True])
def test_a_join_gives_the_newest_row_that_was_known(built: list[Built], exclusive: bool) -> None:
    for one in built:
        found = one.tables[f"join_{str(exclusive).lower()}"]
        assert ordered(found) == ordered(expected_join(one.world, exclusive))


def test_the_worlds_hit_the_ends_of_intervals_ties_and_nulls(built: list[Built]) -> None:
    for one in built:
        assert expected_rolling(one.world, exclusive=False) != expected_rolling(one.world, exclusive=True)
        assert min(one.hits[0]) > 0


MISTAKES = {
    "kind": (
        ("mean(amount) over 1 day", "median(amount) over 1 day"),
        "the feature mean_1d is 'median(amount) over 1 day'; write count, sum, mean",
    ),
    "interval": (
        ("mean(amount) over 1 day", "mean(amount) over a day"),
        "the interval of mean_1d is 'a day'; give a number and a unit, such as",
    ),
    "lag": (("'lag': '2 hours'", "'lag': 'soon'"), "the lag is 'soon'; give a number and a unit"),
    "key": (("'lag': '2 hours'", "'delay': '2 hours'"), "a history has a key 'delay'; it may have from, by"),
    "declaration": (
        ("source('main', 'sales')", "source('main', 'bare')"),
        "rolling: bare declares no known_at. Add it to the model's config.meta.snowml, or give known_at",
    ),
    "declared": (
        ("source('main', 'sales')", "source('main', 'misspelt')"),
        "config.meta.snowml of misspelt has a key 'know_at'; it may have entity, as_of, known_at",
    ),
}


def test_a_mistake_in_a_call_is_told_in_a_sentence(tmp_path: Path) -> None:
    text = ROLLING.format(exclusive="false")
    models = {name: text.replace(*edit) for name, (edit, _) in MISTAKES.items()}
    lab = Lab(tmp_path / "lab", **models)
    lab.write(
        "models/sources.yml",
        SOURCES + "      - name: bare\n      - name: misspelt\n"
        "        config: {meta: {snowml: {know_at: sold_at}}}\n",
    )
    World(1).load(lab)
    results = lab.run("run")
    for name in models:
        assert MISTAKES[name][1] in " ".join(results[name].message.split()), name
