"""The shop at the stage that a test asks for; see tests/support/shop.py."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import shop
from standin_sessions import ask, connection  # noqa: F401


@pytest.fixture(scope="session", autouse=True)
def _stages() -> Iterator[None]:
    yield
    shop.remove_stages()


@pytest.fixture
def written(tmp_path: Path) -> shop.Shop:
    """The project, parsed; nothing is built."""
    return shop.shop(tmp_path / "shop", "written")


@pytest.fixture
def built(tmp_path: Path) -> shop.Shop:
    """Training and scoring sets are built; nothing is trained."""
    return shop.shop(tmp_path / "shop", "built")


@pytest.fixture
def trained(tmp_path: Path) -> shop.Shop:
    """Both models are trained; none is promoted."""
    return shop.shop(tmp_path / "shop", "trained")


@pytest.fixture
def promoted(tmp_path: Path) -> shop.Shop:
    """Both models are promoted, and have predicted."""
    return shop.shop(tmp_path / "shop", "promoted")
