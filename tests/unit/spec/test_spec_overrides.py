import pytest

from snowml.errors import SpecError


def refused(project, **overrides):
    with pytest.raises(SpecError) as caught:
        project.read(overrides={key.replace("__", "."): value for key, value in overrides.items()})
    return caught.value


def test_an_override_is_set_over_the_exposure(project):
    before = project.read()
    settings = project.read(
        overrides={"split.test": "92 days", "params.max_iter": 50, "gates.0.min": "0.5", "seed": 7}
    ).settings
    assert settings.split.test == "92 days"
    assert settings.split.validation == "30 days"
    assert settings.params == {"tol": 1e-9, "C": 1.0, "max_iter": 50}
    assert (settings.gates[0].min, settings.seed) == (0.5, 7)
    assert project.read() == before


def test_an_override_may_make_the_mapping_it_needs(project):
    project.replace("          params: {tol: 1e-9, C: 1.0}\n", "")
    assert project.read(overrides={"params.C": 2}).settings.params == {"C": 2}


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("estimatr", "x", "override 'estimatr': unknown key 'estimatr'. Did you mean 'estimator'?"),
        ("splitt__test", "x", "override 'splitt.test': unknown key 'splitt'. Did you mean 'split'?"),
        ("split__tst", "x", "override 'split.tst': unknown key 'tst' in 'split'. Did you mean 'test'?"),
        (
            "split__test",
            "x",
            "override 'split.test': split.test: 'x' is neither a length of time nor a date.",
        ),
        ("search", {}, "override 'search': key 'search' is reserved"),
        ("seed__x", 1, "override 'seed.x': seed: {'x': 1} is not a whole number"),
        ("task__x", 1, "override 'task.x': 'classification' holds no key 'x'."),
        ("gates__9__min", 1, "override 'gates.9.min': '9' is no item of a list of 2; items count from 0."),
        ("gates__first", 1, "override 'gates.first': 'first' is no item of a list of 2; items count from 0."),
        (
            "training_set",
            "unrelated",
            "override 'training_set': training_set: 'unrelated' is not in depends_on.",
        ),
        ("gates__1__min", 1, "override 'gates.1.min': gates.1.min: a gate with 'better_than' has no bounds."),
    ],
)
def test_a_wrong_override_is_refused_without_a_line(project, key, value, message):
    error = refused(project, **{key: value})
    assert str(error).startswith(message)
    assert (error.file, error.line) == (None, None)


def test_problems_of_the_file_come_before_those_of_overrides(project):
    project.replace("task: classification", "task: clasification")
    first, second = str(refused(project, seed="x")).splitlines()
    assert first.startswith("models/ml/churn.yml:9: task: ")
    assert second.startswith("override 'seed': ")
