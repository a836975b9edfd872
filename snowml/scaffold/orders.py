"""The made-up orders of a starter project."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from random import Random

_FIRST, _LAST = datetime(2023, 7, 1), datetime(2024, 7, 1)
_CUSTOMERS = 700
# Mean days between two orders. Who ordered by subscription does so again after four weeks; the others, when they like.
_DAYS_BETWEEN = {"subscription": 28, "web": 35, "store": 60}

Order = tuple[int, str, str, str, str]
HEADER = ("order_id", "customer", "channel", "amount", "ordered_at")


def orders() -> Iterator[Order]:
    """A year of orders, in the order of their time; the same ones each time."""
    # Not for secrets: the same orders each time are the point.
    chance = Random(2024)  # noqa: S311
    made = sorted(
        row for number in range(_CUSTOMERS) for row in _of_customer(f"customer {number:03}", chance)
    )
    for number, (at, customer, channel, amount) in enumerate(made, start=1):
        yield number, customer, channel, f"{amount:.2f}", f"{at:%Y-%m-%d %H:%M:%S}"


def _of_customer(customer: str, chance: Random) -> Iterator[tuple[datetime, str, str, float]]:
    # Customers come and go all the time: what is seen of them at the end is what was seen before.
    at, eagerness = _FIRST + timedelta(days=chance.uniform(-400, 366)), chance.lognormvariate(0, 0.6)
    leaves = at + timedelta(days=chance.expovariate(1 / 300))
    while at < min(leaves, _LAST):
        channel = chance.choices(list(_DAYS_BETWEEN), weights=(3, 4, 3))[0]
        if at >= _FIRST:
            yield at, customer, channel, chance.lognormvariate(3.5, 0.5)
        days = _DAYS_BETWEEN[channel] / eagerness
        wait = chance.gauss(28, 2) if channel == "subscription" else chance.expovariate(1 / days)
        at += timedelta(days=max(wait, 0.1), seconds=chance.randrange(60))
