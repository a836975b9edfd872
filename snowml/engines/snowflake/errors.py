"""The drivers' errors as ours: wrapped once, without secrets, and told apart by whether a repetition may help."""

import re
import unicodedata
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
# The session is not there any more, or its token is not: the server refuses the request before it looks at it.
# 390112 reaches us only where the connector could not renew it.
_SESSION_LOST: Final = frozenset({390104, 390110, 390111, 390112, 390113, 390114, 390115, 390195})
_RETRYABLE_NUMBERS: Final = frozenset(
    {
        # The client: out of reach, timed out, a part of a result not fetched. Not 250002, which is a session that
        # we closed ourselves.
        *(250001, 250003, 250005, 251011, 251012, 252007, 252010, 253002, 253003),
        *_SESSION_LOST,
        # The server: statement canceled by a lock, a lock not given back in time, too many waiting, internal trouble.
        *(625, 370001, 300002, 300005),
    }
)
# The server refused the login; the driver reports that under the number of a broken connection too.
_REFUSED: Final = (
    "incorrect username or password",
    "token is invalid",
    "token has expired",
    "token expired",
    "invalid oauth",
    "authentication",
    "locked",
    "expired key",
)
_TIMED_OUT: Final = frozenset({630, 604})
# Two sessions changed the same thing.
_CONFLICT: Final = re.compile(
    r"\bdeadlock|lock timeout|(transaction|write-write) conflict|conflict on update", re.IGNORECASE
)
_LONGEST: Final = 200
# Of a server's own text, which may repeat a whole statement.
_LONGEST_TEXT: Final = 600
# What a terminal would act on: escape sequences with an end of their own first, then what is left of controls.
_ESCAPES: Final = re.compile(
    r"\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)?|(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]?|\x1b[@-Z\\^_]?"
)


class SessionLost(RetryableError):
    """The session ended before the statement began; the same statement can be run in a new one."""


@contextmanager
def wrapped(sql: str, secrets: Secrets) -> Iterator[None]:
    """The drivers' errors in the block, which runs `sql`, as RetryableError or TerminalError."""
    try:
        yield
    except DRIVER_ERRORS as error:
        cause = _root(error)
        secrets.hide_in(error)
        secrets.hide_in(cause)
        # Hidden first: what is cut in two would not be found.
        said = plain(secrets.hide(str(cause)), _LONGEST_TEXT, last=_LONGEST_TEXT // 2)
        told = f"Snowflake: {said}{_query_id(cause)}{_remedy(cause)}\nin: {shortened(secrets.hide(sql))}"
        kind = SessionLost if is_session_lost(cause) else kind_of(cause)
        # Snowpark's wrapping of the connector's error says nothing more than that.
        raise kind(told) from cause
    except Exception as error:
        # A defect, of a driver's perhaps: it is printed whole.
        secrets.hide_in(error)
        raise


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


def is_session_lost(error: Exception) -> bool:
    """Whether the session ended, and with it what it had not committed and its temporary objects."""
    return getattr(error, "errno", None) in _SESSION_LOST


def is_missing_file(error: Exception) -> bool:
    """Whether GET found no such file, which it tells as an error."""
    return "253006" in str(error)


def plain(text: str, longest: int, *, last: int = 0) -> str:
    """A text that others wrote in one line of bearable length, without what a terminal would obey or hide.

    Of one that is longer, `last` characters are its end: a traceback says there what happened.
    """
    visible = "".join(
        character if unicodedata.category(character) not in ("Cc", "Cf", "Cs", "Zl", "Zp") else " "
        for character in _ESCAPES.sub("", text)
    )
    line = " ".join(visible.split())
    if len(line) <= longest:
        return line
    return f"{line[: longest - last - 3]}...{line[len(line) - last :]}"


def shortened(sql: str) -> str:
    """A statement in one line of bearable length."""
    return plain(sql, _LONGEST)


def _root(error: Exception) -> Exception:
    cause = getattr(error, "conn_error", None) or error.__cause__
    if cause is None and isinstance(error, SnowparkClientException):
        # Snowpark tells of a session that it could not close by text alone.
        cause = error.__context__
    return cause if isinstance(cause, driver.Error) else error


def _query_id(error: Exception) -> str:
    query_id = getattr(error, "sfqid", None)
    # What is too long loses its end, and both stand at the beginning.
    return f" (query {plain(query_id, 60)})" if query_id and query_id not in str(error)[:_LONGEST] else ""


def _remedy(error: Exception) -> str:
    text, number = str(error).lower(), getattr(error, "errno", None)
    if number in _TIMED_OUT and "timeout" in text:
        return " Give it longer by statement_timeout in the profile, or a larger warehouse."
    if kind_of(error) is TerminalError and "token" in text and ("expired" in text or "invalid" in text):
        return " Is the profile's token still valid, or the public key still the user's? Give a new one."
    return ""
