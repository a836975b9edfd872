"""A specification's estimator and its parameters, checked before any data is read."""

from typing import TYPE_CHECKING

from sklearn.utils._param_validation import InvalidParameterError

from snowml.errors import UserError
from snowml.spec.problems import Problem, spec_error
from snowml.spec.settings import Settings
from snowml.training.estimators import create

if TYPE_CHECKING:
    from snowml.spec.location import Locator


def check_estimator(settings: Settings, locator: "Locator | None" = None) -> None:
    """Refuse an estimator whose library is missing, parameters that it does not have, and values that it does not take.

    Raises:
        SpecError: One error that lists all of them, each with its place.
    """
    try:
        create(settings.estimator, settings.task, {}, settings.seed)
    except UserError as missing:
        raise spec_error([Problem(f"estimator: {missing}", ("estimator",))], locator) from missing
    problems = []
    for name, value in settings.params.items():
        try:
            # scikit-learn has no public way to ask before it sees data.
            create(settings.estimator, settings.task, {name: value}, settings.seed)._validate_params()  # noqa: SLF001
        except (InvalidParameterError, UserError) as refused:
            problems.append(Problem(f"params.{name}: {refused}", ("params", name)))
    if problems:
        raise spec_error(problems, locator)
