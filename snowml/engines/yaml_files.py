"""Reading the YAML files beside a project: a broken one is the project's fault, told with its line."""

from pathlib import Path
from typing import Any

import yaml

from snowml.errors import ProjectError


def read_yaml(file: Path) -> Any:
    """What stands in `file`.

    Raises:
        ProjectError: It is no YAML, or no UTF-8.
    """
    try:
        return yaml.safe_load(file.read_text("utf-8-sig"))
    except yaml.MarkedYAMLError as error:
        line = f":{error.problem_mark.line + 1}" if error.problem_mark else ""
        raise ProjectError(f"{file}{line} is not valid YAML: {error.problem or error}.") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ProjectError(f"{file} is not valid YAML: {error}.") from error
