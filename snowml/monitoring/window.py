"""Which scored rows are looked at."""

from dataclasses import dataclass
from datetime import UTC, datetime

from snowml.errors import DataError
from snowml.names import Dialect, quoted


@dataclass(frozen=True, slots=True)
class Window:
    """The rows whose moment of prediction, in `column`, is at `start` or later and before `end`."""

    column: str
    start: datetime
    end: datetime

    def __post_init__(self) -> None:
        if not in_utc(self.start) < in_utc(self.end):
            raise DataError(f"The window starts at {self.start} and ends at {self.end}: it is empty.")

    def where(self, dialect: Dialect) -> str:
        """A condition with two `?`, to which `params` are bound."""
        column = quoted(self.column, dialect)
        return f"{column} >= ? and {column} < ?"

    @property
    def params(self) -> tuple[datetime, datetime]:
        """Start and end, in UTC."""
        return in_utc(self.start), in_utc(self.end)


def in_utc(moment: datetime) -> datetime:
    """`moment` in UTC without a zone, as the warehouse keeps time; without a zone it is taken to be UTC."""
    return moment.astimezone(UTC).replace(tzinfo=None) if moment.tzinfo else moment
