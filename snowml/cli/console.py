"""The one voice of the command line: answers on standard output, everything else on standard error."""

import json
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime

import click
from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

from snowml.documents import plain
from snowml.progress import Step

# Where there is no terminal there is no edge to fold a table at.
_WIDTH = None if sys.stdout.isatty() else 240

answers = Console(highlight=False, soft_wrap=True, width=_WIDTH)
notes = Console(stderr=True, highlight=False, soft_wrap=True)


def say(text: str = "") -> None:
    """A line of the answer."""
    answers.print(text, markup=False)


def table(columns: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """A table of the answer; numbers to the right."""
    drawn = Table(box=None, pad_edge=False, header_style="bold", show_edge=False)
    for position, name in enumerate(columns):
        numeric = bool(rows) and all(isinstance(row[position], int | float | None) for row in rows)
        drawn.add_column(name, justify="right" if numeric else "left", overflow="fold")
    for row in rows:
        drawn.add_row(*(Text(shown(value)) for value in row))
    answers.print(drawn)


def shown(value: object) -> str:
    """A value as people read it."""
    if value is None:
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.4f}" if 1e-3 <= abs(value) < 1e6 or value == 0 else f"{value:.2e}"
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%d %H:%M}"
    return str(value)


def emit_json(document: object) -> None:
    """The answer as one JSON document."""
    click.echo(json.dumps(plain(document), indent=2, ensure_ascii=False, allow_nan=False))


class ConsoleProgress:
    """Progress on standard error: bars on a terminal, a plain line for each finished step elsewhere."""

    def __init__(self, *, quiet: bool = False) -> None:
        self.quiet = quiet

    @contextmanager
    def step(self, title: str) -> Iterator[Step]:
        """Show a step from its start to its end."""
        if self.quiet:
            yield _Quiet()
            return
        with Progress(
            SpinnerColumn(finished_text="[green]✓[/]"),
            TextColumn("{task.description}"),
            BarColumn(bar_width=24),
            TextColumn("[dim]{task.fields[part]}"),
            TimeElapsedColumn(),
            console=notes,
            transient=True,
            disable=not notes.is_terminal,
        ) as bars:
            drawn = _Drawn(bars, bars.add_task(title, total=None, part=""))
            yield drawn
            seconds = bars.tasks[0].elapsed or 0.0
        mark = Text("✓ ", style="green") if notes.is_terminal else Text("")
        outcome = f"  {drawn.result}" if drawn.result else ""
        notes.print(mark + Text(f"{title}{outcome}") + Text(f"  {seconds:.1f} s", style="dim"))

    def note(self, text: str) -> None:
        """A sentence on a line of its own."""
        notes.print(text, markup=False)


class _Drawn:
    def __init__(self, bars: Progress, task: TaskID) -> None:
        self.bars, self.task, self.result = bars, task, ""

    def total(self, count: int) -> None:
        self.bars.update(self.task, total=count)

    def advance(self, part: str) -> None:
        self.bars.update(self.task, advance=1, part=part[:48])

    def outcome(self, text: str) -> None:
        self.result = text


class _Quiet:
    def total(self, count: int) -> None:
        """Nothing to show."""

    def advance(self, part: str) -> None:
        """Nothing to show."""

    def outcome(self, text: str) -> None:
        """Nothing to show."""
