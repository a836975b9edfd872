"""What the commands take: lists of names and of numbers."""

from collections.abc import Callable, Collection

import click

Reading = Callable[[click.Context, click.Parameter, str], list[str]]


def names(known: Collection[str]) -> Reading:
    """Read a list of names, all of them known."""

    def read(context: click.Context, parameter: click.Parameter, text: str) -> list[str]:
        found = [name.strip() for name in text.split(",") if name.strip()]
        for name in found:
            if name not in known:
                raise click.BadParameter(f"'{name}' is not one of {', '.join(known)}.")
        return found

    return read


def numbers(context: click.Context, parameter: click.Parameter, text: str) -> list[int]:
    """Read a list of whole numbers above 0, such as 1,2 or 1_000_000."""
    found = [part.strip().replace("_", "") for part in text.split(",")]
    if not all(part.isdecimal() and int(part) > 0 for part in found):
        raise click.BadParameter(f"'{text}' is not a list of numbers above 0, such as 1,2.")
    return [int(part) for part in found]
