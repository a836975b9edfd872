"""Options that commands share, with dbt's names and meaning."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click
import yaml

from snowml.errors import UserError

if TYPE_CHECKING:
    from snowml.workflows.project import Project

Command = TypeVar("Command", bound=Callable[..., Any])


class Vars(click.ParamType[Mapping[str, Any]]):
    """A YAML mapping, as dbt's --vars takes it."""

    name = "yaml"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> Mapping[str, Any]:
        """Parse it, or fail with what is expected."""
        if isinstance(value, dict):
            return value
        try:
            read = yaml.safe_load(value)
        except yaml.YAMLError as error:
            self.fail(f"{value!r} is not YAML: {error}", param, ctx)
        if not isinstance(read, dict):
            self.fail(f"{value!r} is not a mapping. Give one such as '{{as_of: 2013-10-01}}'.", param, ctx)
        return read


class Spreading(click.Command):
    """A command without arguments, whose options that can be repeated take several values as dbt's do: `-s a b c`."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Repeat the option before each of its values."""
        repeatable = {
            name
            for option in self.params
            if isinstance(option, click.Option) and option.multiple
            for name in option.opts
        }
        spread: list[str] = []
        option, values = "", 0
        for arg in args:
            if arg.startswith("-"):
                option, values = arg if arg in repeatable else "", 0
            elif option:
                spread += [option] if values else []
                values += 1
            spread.append(arg)
        return super().parse_args(ctx, spread)


def project_options(command: Command) -> Command:
    """--project-dir, --profiles-dir, --target and --vars."""
    path = click.Path(path_type=Path)
    for option in (
        click.option("--vars", "variables", type=Vars(), help="Vars of the dbt project, as a YAML mapping."),
        click.option("--target", "-t", help="The profile's target; its default one if not given."),
        click.option("--profiles-dir", type=path, help="The folder of profiles.yml; found as dbt finds it."),
        click.option(
            "--project-dir", type=path, help="The folder of dbt_project.yml; the current one if not given."
        ),
    ):
        command = option(command)
    return command


json_option = click.option("--json", "as_json", is_flag=True, help="One JSON document on standard output.")
as_of_option = click.option(
    "--as-of",
    help="The moment it stands for, in UTC, ISO 8601; the project's var as_of, else now, if not given.",
)


def model_argument(command: Command) -> Command:
    """A model's name, or --all."""
    command = click.option("--all", "every", is_flag=True, help="Every model of the project.")(command)
    return click.argument("model", required=False)(command)


def load_project(options: Mapping[str, Any]) -> "Project":
    """The project that the shared options name."""
    from snowml.workflows.project import Project

    return Project.load(
        options["project_dir"],
        profiles_dir=options["profiles_dir"],
        target=options["target"],
        vars=options["variables"],
    )


def models_asked(model: str | None, every: bool, known: Callable[[], list[str]]) -> list[str]:
    """The models that a command is about.

    Raises:
        UserError: Neither a model nor --all was given, or both were.
    """
    if model and every:
        raise UserError("Give a model or --all, not both.")
    if model:
        return [model]
    if every:
        return known()
    raise UserError(f"Which model? Give its name or --all. Models: {', '.join(known()) or 'none yet'}.")
