"""snowflake-ml, which does not behave like a library: it prints, warns of itself, and raises what it likes."""

import io
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from typing import TYPE_CHECKING, Final

from snowml.errors import ProjectError, TerminalError
from snowml.names import quoted, written

if TYPE_CHECKING:
    from snowml.engines.snowflake.engine import SnowflakeEngine

# What it raises where it refuses something, besides the drivers' errors.
_REFUSALS: Final = (AssertionError, NotImplementedError, OSError, RuntimeError, TypeError, ValueError)


@contextmanager
def told(engine: "SnowflakeEngine", what: str, needs: str) -> Iterator[None]:
    """What snowflake-ml prints and warns of in the block is kept from standard output; what it raises is ours.

    Args:
        engine: Whose session it uses.
        what: What the block does, for messages.
        needs: What cannot be done without snowflake-ml, as the beginning of a sentence.

    Raises:
        ProjectError: snowflake-ml is not installed.
        TerminalError: It refuses.
    """
    with warnings.catch_warnings(), redirect_stdout(io.StringIO()), engine.errors(what):
        warnings.simplefilter("ignore")
        try:
            yield
        except ImportError as error:
            raise ProjectError(
                f"{needs} by snowflake-ml, which is not installed ({error.name}). Install snowml with the extra "
                "'snowflake', or declare snowflake-ml-python among the procedure's packages."
            ) from error
        except _REFUSALS as error:
            raise TerminalError(f"snowflake-ml: {error}\nin: {what}") from error


def stored(name: str) -> str:
    """A name as Snowflake keeps it."""
    return quoted(name, "snowflake")[1:-1].replace('""', '"')


def bare(name: str) -> str:
    """A name as one writes it in SQL, with quotes only where they are needed."""
    plain = written(stored(name), "snowflake") != stored(name)
    return stored(name) if plain else quoted(name, "snowflake")
