"""The reference project with leaks in it; see tests/support/planted.py."""

from collections.abc import Iterator

import planted
import pytest


@pytest.fixture(scope="session", autouse=True)
def _stages() -> Iterator[None]:
    yield
    planted.remove_stages()
