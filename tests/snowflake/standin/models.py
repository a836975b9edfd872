"""Models."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from standin.grammar import Name

if TYPE_CHECKING:
    from standin.session import Account


class Models:
    def __init__(self, account: "Account") -> None: ...

    def forget(self, which: Callable[[Name], bool]) -> None: ...
