"""An error told in other words is the same failure."""

import pytest

from snowml import errors

OWN = [one for one in vars(errors).values() if isinstance(one, type) and issubclass(one, errors.SnowmlError)]


class MadeOfTwo(errors.GateFailed):
    def __init__(self, one: int, other: int) -> None:
        super().__init__(f"{one} and {other}")


@pytest.mark.parametrize("kind", OWN)
def test_it_keeps_its_class_or_at_least_its_exit_code(kind: type[errors.SnowmlError]) -> None:
    told = errors.retold(kind("before"), "after")
    assert str(told) == "after"
    assert told.exit_code == kind.exit_code
    assert kind is errors.SpecError or type(told) is kind


def test_one_that_is_made_of_more_than_a_text_becomes_what_it_comes_from() -> None:
    told = errors.retold(MadeOfTwo(1, 2), "after")
    assert (type(told), str(told)) == (errors.GateFailed, "after")
