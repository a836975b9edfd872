"""The modules of Snowflake's vectorised functions, each where nothing is installed but what the function declares."""

import re
from hashlib import sha256

import duckdb
import messy
import numpy as np
import pytest
from clean_environment import answers, handler_in, python_with

from snowml.engines.base import Parameter, VectorFunction
from snowml.engines.snowflake import handler
from snowml.engines.snowflake.code import package
from snowml.engines.snowflake.functions import vector_function
from snowml.names import Relation
from snowml.registry.trusted import Artifact
from snowml.serving import compiling, estimator, kernel_function
from snowml.serving.functions import parameters_of
from snowml.serving.sql.compiled import inputs

pytestmark = pytest.mark.clean

STORE = Relation("snowml", "artifacts", "db")
NO_NUMBA = "import sys\nsys.modules['numba'] = None\n"
BATCHES = (1, 7, 4096, 10_000)


def function_of(module, parameters, artifact):
    name, key = Relation("main", "f", "db"), sha256(artifact).hexdigest()
    return VectorFunction(name, parameters, module.__name__, STORE, key, "", module.PACKAGES)


def kernel_of(name, task):
    """The function of a compiled forest, its artifact, and what makes its inputs of rows."""
    artifact = Artifact(messy.signature(task), messy.trained(name, task))
    forest = compiling.forest_bytes(artifact)
    columns = inputs(artifact.pipeline, artifact.signature, "duckdb").columns
    function = function_of(
        kernel_function, tuple(Parameter(f"x{i}", "double") for i in range(len(columns))), forest
    )

    def prepared(rows):
        with duckdb.connect() as connection:
            connection.register("batch", messy.arrow(rows))
            named = ", ".join(f"{column} as x{i}" for i, column in enumerate(columns))
            return connection.sql(f"select {named} from batch").to_arrow_table()

    return function, forest, prepared


def estimator_of(name, task):
    """The function of an estimator, its artifact, and what makes its inputs of rows."""
    artifact = Artifact(messy.signature(task), messy.trained(name, task))
    data = artifact.dumps()
    return function_of(estimator, parameters_of(artifact.signature), data), data, messy.arrow


@pytest.fixture
def packaged(tmp_path, tmp_path_factory):
    """Runs a function as its CREATE FUNCTION says: its packages, its imports, its text."""

    def packaged(function, artifact, before=""):
        code, data = package()
        for name, content in ((code, data), (function.artifact, artifact)):
            (tmp_path / name).write_bytes(content)
        statement = vector_function(function, code)
        declared = re.search(r"^packages = \((.*)\)$", statement, re.MULTILINE)[1]
        python = python_with([item.strip("' ") for item in declared.split(",")], tmp_path_factory)
        files, text = [tmp_path / code, tmp_path / function.artifact], before + handler.source(function)
        assert handler.source(function) in statement
        return handler_in(python, files, handler.NAME, text)

    return packaged


def assert_equal(found, expected):
    """NULL where scikit-learn refuses the row, and there alone; the same number elsewhere."""
    np.testing.assert_allclose(np.array(found, float), np.array(expected, float), rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize(
    ("of", "name", "task"),
    [
        (kernel_of, "hist_gradient_boosting", "classification"),
        (kernel_of, "random_forest", "regression"),
        (estimator_of, "logistic_regression", "classification"),
        (estimator_of, "random_forest", "regression"),
    ],
)
def test_a_function_answers_what_scikit_learn_answers_in_batches_of_any_size(packaged, of, name, task):
    function, artifact, prepared = of(name, task)
    pipeline, hostile, many = messy.trained(name, task), messy.adversarial(), messy.frame(5000, 1)
    with packaged(function, artifact) as worker:
        rows, expected = prepared(hostile), messy.answers(pipeline, hostile)
        for size in BATCHES:
            assert_equal(answers(worker, rows, size), expected)
        assert_equal(answers(worker, prepared(many), len(many)), messy.bulk(pipeline, many))


def test_the_kernel_keeps_what_it_compiled_in_the_one_folder_that_a_sandbox_can_write_to(packaged):
    function, forest, prepared = kernel_of("hist_gradient_boosting", "classification")
    with packaged(function, forest) as worker:
        answers(worker, prepared(messy.frame(10, 1)), 10)
        assert list(worker.nursery.temporary.rglob("*.nbi"))


def test_the_kernel_answers_the_same_without_numba(packaged):
    function, forest, prepared = kernel_of("hist_gradient_boosting", "classification")
    rows, pipeline = messy.adversarial(), messy.trained("hist_gradient_boosting", "classification")
    with packaged(function, forest, NO_NUMBA) as worker:
        assert answers(worker, prepared(rows), 100) == messy.answers(pipeline, rows)
        assert not list(worker.nursery.temporary.rglob("*.nbi"))
