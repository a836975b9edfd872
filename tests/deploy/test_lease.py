"""One deployment at a time: who is told what, and what becomes of one that is dead."""

import pytest
from snowflake_target import open_standin

from snowml.deploy.lease import MINUTES, leased
from snowml.errors import RetryableError
from snowml.names import Relation

pytestmark = pytest.mark.standin_loop


@pytest.fixture
def engines(warehouse):
    engines = [open_standin(warehouse) for _ in range(2)]
    yield engines
    for engine in engines:
        engine.close()


def table(engine):
    return Relation("snowml", "snowml_deploying", engine.database)


def late(engine):
    """Time passes."""
    name = table(engine).sql("snowflake")
    engine.execute(f"update {name} set expires_at = dateadd(minute, -{MINUTES}, expires_at)")


def test_the_second_is_told_who_the_first_is(engines):
    one, other = engines
    with leased(one, table(one)):
        with (
            pytest.raises(RetryableError, match=r"is running: .+ on .+, process \d+, since .+--take-over"),
            leased(other, table(other)),
        ):
            pytest.fail("two at once")
        # Whoever was refused has taken nothing away.
        with pytest.raises(RetryableError, match="is running"), leased(other, table(other)):
            pytest.fail("two at once")
    with leased(other, table(other)):
        pass


def test_it_is_given_back_by_one_that_fails(engines):
    one, other = engines
    with pytest.raises(ZeroDivisionError), leased(one, table(one)):
        raise ZeroDivisionError
    with leased(other, table(other)):
        pass


def test_a_dead_one_lapses_and_finds_out_if_it_was_not_dead(engines):
    one, other = engines
    with (
        pytest.raises(RetryableError, match=r"lease of this deployment is lost: .+ took it over"),
        leased(one, table(one)) as first,
    ):
        first.renew()
        late(one)
        with leased(other, table(other)) as second:
            second.renew()
            first.renew()


def test_it_may_be_taken_over(engines):
    one, other = engines
    with leased(one, table(one)) as first, leased(other, table(other), over=True) as second:
        with pytest.raises(RetryableError, match="is lost"):
            first.renew()
        # What the first gives back is not the second's.
        first.release()
        second.renew()


def test_a_lease_that_is_renewed_lasts(engines):
    one, other = engines
    with leased(one, table(one)) as first:
        late(one)
        first.renew()
        with pytest.raises(RetryableError, match="is running"), leased(other, table(other)):
            pytest.fail("two at once")
