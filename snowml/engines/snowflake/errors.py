"""The drivers' errors as ours: wrapped once, without secrets, and told apart by whether a repetition may help."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from snowflake.connector import errors as driver
from snowflake.snowpark.exceptions import SnowparkClientException

from snowml.engines.snowflake.secrets import Secrets
from snowml.errors import RetryableError, TerminalError, WarehouseError

DRIVER_ERRORS: Final = (driver.Error, SnowparkClientException)

# Network, throttling, an overloaded service.
_RETRYABLE: Final = (
    driver.BadGatewayError,
    driver.BindUploadError,
    driver.GatewayTimeoutError,
    driver.InternalServerError,
    driver.OtherHTTPRetryableError,
    driver.RequestExceedMaxRetryError,
    driver.RequestTimeoutError,
    driver.ServiceUnavailableError,
    driver.TooManyRequests,
)
_RETRYABLE_NUMBERS: Final = frozenset(
    {
        # The client: out of reach, timed out, a part of a result not fetched. Not 250002, which is a session that
        # we closed ourselves.
        *(250001, 250003, 250005, 251011, 251012, 252007, 252010, 253002, 253003),
        # The session: gone, or its token expired.
        *(390110, 390111, 390112, 390113, 390114, 390115, 390195),
        # The server: statement canceled by a lock, a lock not given back in time, too many waiting, internal trouble.
        *(625, 370001, 300002, 300005),
    }
)
# The server refused the login; the driver reports that under the number of a broken connection too.
_REFUSED: Final = (
    "incorrect username or password",
    "jwt token is invalid",
    "authentication",
    "locked",
    "expired key",
)
# Two sessions changed the same thing.
_CONFLICT: Final = re.compile(
    r"\bdeadlock|lock timeout|(transaction|write-write) conflict|conflict on update", re.IGNORECASE
)
_LONGEST: Final = 200


@contextmanager
def wrapped(sql: str, secrets: Secrets) -> Iterator[None]:
    """The drivers' errors in the block, which runs `sql`, as RetryableError or TerminalError."""
    try:
        yield
    except DRIVER_ERRORS as error:
        cause = _root(error)
        secrets.hide_in(error)
        secrets.hide_in(cause)
        told = secrets.hide(f"Snowflake: {cause}{_query_id(cause)}\nin: {shortened(sql)}")
        # Snowpark's wrapping of the connector's error says nothing more than that.
        raise kind_of(cause)(told) from cause


def kind_of(error: Exception) -> type[WarehouseError]:
    """Whether the same call may succeed later."""
    text = str(error).lower()
    number = getattr(error, "errno", None)
    if number == 250001 and any(word in text for word in _REFUSED):
        return TerminalError
    if isinstance(error, _RETRYABLE) or number in _RETRYABLE_NUMBERS:
        return RetryableError
    if isinstance(error, driver.OperationalError) and not isinstance(error, driver.NonRetryableTlsError):
        return RetryableError
    return RetryableError if _CONFLICT.search(text) else TerminalError


def is_missing_file(error: Exception) -> bool:
    """Whether GET found no such file, which it tells as an error."""
    return "253006" in str(error)


def shortened(sql: str) -> str:
    """A statement in one line of bearable length."""
    line = " ".join(sql.split())
    return line if len(line) <= _LONGEST else line[: _LONGEST - 3] + "..."


def _root(error: Exception) -> Exception:
    cause = getattr(error, "conn_error", None) or error.__cause__
    return cause if isinstance(cause, driver.Error) else error


def _query_id(error: Exception) -> str:
    query_id = getattr(error, "sfqid", None)
    return f" (query {query_id})" if query_id and query_id not in str(error) else ""
