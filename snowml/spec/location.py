"""Where a key stands: dbt's manifest has no line numbers, so the YAML file is asked for its marks."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

import yaml

from snowml.spec.problems import KeyPath, dotted


@dataclass(frozen=True, slots=True)
class Locator:
    """A place in a file, and everything below it.

    Attributes:
        file: The file, relative to the project, when known.
        line: The line of the key, counted from 1, when the file could be read.
        node: What stands under the key.
        overrides: Dotted keys whose values came from elsewhere.
    """

    file: str | None = None
    line: int | None = None
    node: yaml.Node | None = None
    overrides: tuple[str, ...] = ()

    def line_of(self, path: KeyPath) -> int | None:
        """The line of the key at `path`, or of the nearest key above it that the file has."""
        return self._descend(path)[0].line

    def under(self, *path: str) -> "Locator | None":
        """The place of the key at `path`, if the file has it."""
        place, found = self._descend(path)
        return place if found else None

    def override(self, path: KeyPath) -> str | None:
        """The override that put the key at `path` there, if one did."""
        for override in self.overrides:
            keys = override.split(".")
            given = dotted(path).split(".")
            if given[: len(keys)] == keys or (self._is_new(path) and keys[: len(given)] == given):
                return override
        return None

    def _is_new(self, path: KeyPath) -> bool:
        return bool(path) and not self._descend(path)[1]

    def _descend(self, path: KeyPath) -> tuple["Locator", bool]:
        place = self
        for key in path:
            step = _step(place.node, key)
            if step is None:
                return place, False
            place = replace(place, line=step[0], node=step[1])
        return place, True


def _step(node: yaml.Node | None, key: str | int) -> tuple[int, yaml.Node] | None:
    """The line and the value of one key or item of `node`."""
    if isinstance(node, yaml.SequenceNode):
        index = int(key) if str(key).isdecimal() else len(node.value)
        return (_line(node.value[index]), node.value[index]) if index < len(node.value) else None
    if isinstance(node, yaml.MappingNode):
        # Of a repeated key the last one counts, as when the file is loaded.
        for name, value in reversed(node.value):
            if isinstance(name, yaml.ScalarNode) and name.value == str(key):
                return _line(name), value
    return None


def _line(node: yaml.Node) -> int:
    return int(node.start_mark.line) + 1


def _composed(path: Path) -> yaml.Node | None:
    try:
        node: yaml.Node | None = yaml.compose(path.read_text(encoding="utf-8-sig"), Loader=yaml.SafeLoader)
    except (OSError, UnicodeDecodeError, yaml.YAMLError):
        return None
    return node


def locate(folder: Path, file: str) -> Locator:
    """The top of a file; it has no keys when the file cannot be read."""
    return Locator(file, None, _composed(folder / file))


def locate_exposure(project_dir: Path, file: str | None, name: str) -> Locator:
    """The place of the exposure `name`; it has a file and no line when the file cannot be read."""
    if file is None:
        return Locator()
    exposures = locate(project_dir, file).under("exposures")
    if exposures is None or not isinstance(exposures.node, yaml.SequenceNode):
        return Locator(file)
    for node in exposures.node.value:
        found = _step(node, "name")
        if found and isinstance(found[1], yaml.ScalarNode) and found[1].value == name:
            return Locator(file, found[0], node)
    return Locator(file)


def locate_settings(exposure: Locator, overrides: Iterable[str] = ()) -> Locator:
    """The place of the exposure's settings, or of the exposure when its file has none."""
    settings = exposure.under("config", "meta", "snowml") or exposure.under("meta", "snowml")
    return replace(settings or replace(exposure, node=None), overrides=tuple(overrides))
