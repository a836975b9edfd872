"""The command line: doors to the workflows, and nothing else.

Modules here import click and rich only; each command imports its workflow when it runs, so that `snowml --help` and
completion stay quick (scikit-learn alone takes a second to import).
"""

import errno
import io
import signal
import sys
from importlib.metadata import PackageNotFoundError, version

import click

from snowml.cli import build, call, demo, deploy, init, inspecting, knowing, loop, tasks, upkeep
from snowml.cli.console import notes
from snowml.errors import SnowmlError

# EX_SOFTWARE of sysexits.h.
DEFECT = 70

# What the machine refuses, whoever asks: a full or read-only disk, a folder of someone else's.
_REFUSED = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES, errno.EPERM})


def _version() -> str:
    try:
        return version("snowml-warehouse")
    except PackageNotFoundError:
        return "unknown"


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(_version(), prog_name="snowml")
def cli() -> None:
    """Machine learning that lives in the warehouse.

    The loop: dbt builds features, train registers a version, promote makes it a SQL function, predict scores with
    it, monitor watches it, retrain trains it again when that is due.

    Exit codes: 0 done; 1 the answer is no (a gate, a test, a drift threshold); 2 the input or the project is wrong;
    3 the warehouse failed; 70 snowml itself did; 130 it was stopped.
    """


for command in (
    demo.demo,
    init.init,
    build.build,
    loop.train,
    loop.promote,
    loop.rollback,
    loop.predict,
    loop.monitor,
    upkeep.retrain,
    tasks.tasks,
    deploy.deploy,
    knowing.audit,
    knowing.replay,
    knowing.features,
    knowing.doctor,
    inspecting.runs,
    inspecting.versions,
    inspecting.show,
    inspecting.compare,
    call.call,
):
    cli.add_command(command)


def main() -> None:
    """The entry point: runs a command and turns an error into a sentence and an exit code."""
    _show_what_the_locale_cannot()
    signal.signal(signal.SIGTERM, _as_interrupted)
    try:
        cli.main(standalone_mode=False)
    except SnowmlError as error:
        notes.print(f"error: {error}", markup=False, style="red" if notes.is_terminal else None)
        sys.exit(error.exit_code)
    except click.ClickException as error:
        error.show()
        sys.exit(2)
    except click.exceptions.Exit as done:
        sys.exit(done.exit_code)
    except (click.Abort, KeyboardInterrupt):
        notes.print("stopped.")
        sys.exit(130)
    except Exception as error:  # noqa: BLE001 - whatever it is, 1 would say that the answer is no
        if isinstance(error, OSError) and error.errno in _REFUSED:
            where = f": {error.filename}" if error.filename else ""
            notes.print(
                f"error: {error.strerror}{where}. Make room, or give this user the right to write to the project's "
                "folder and the warehouse's file; then run the command again.",
                markup=False,
            )
            sys.exit(2)
        notes.print_exception(width=110)
        notes.print(
            "error: this is a defect of snowml, not of your project. Nothing half done is kept: a command that failed "
            "can be run again. Please report it with the lines above.",
            markup=False,
        )
        sys.exit(DEFECT)


def _as_interrupted(*_: object) -> None:
    """What Ctrl-C cancels, rolls back and takes away is so too where a scheduler ends the command, by SIGTERM."""
    # Snowflake's client replaces SIGINT's handler while a statement runs. In the background SIGINT may be ignored.
    if callable(handler := signal.getsignal(signal.SIGINT)):
        handler(signal.SIGINT, None)
    raise KeyboardInterrupt


def _show_what_the_locale_cannot() -> None:
    """Let names that the terminal's encoding lacks come out as escapes; without this they end the command."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
