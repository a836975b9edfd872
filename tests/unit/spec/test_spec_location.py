from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from snowml.errors import SpecError
from snowml.spec.location import Locator, locate_exposure, locate_settings

FILE = "models/ml/churn.yml"


def refused(project):
    with pytest.raises(SpecError) as caught:
        project.read()
    return caught.value


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("estimator:", "estimatr:", "19: unknown key 'estimatr'. Did you mean 'estimator'?"),
        (
            "roc_auc, split",
            "roc_ac, split",
            "23: gates.0.metric: no metric 'roc_ac'. Did you mean 'roc_auc'?",
        ),
        ("test: 30 days", "test: 30 dys", "18: split.test: '30 dys' is neither"),
        ("label: churned", "label: as_of", "12: label: column 'as_of' is already the as_of."),
        ("C: 1.0", "C: {a: 1}", "20: params.C: {'a': 1} is not a number"),
    ],
)
def test_a_problem_is_told_with_the_line_of_its_key(project, old, new, message):
    error = refused(project.replace(old, new))
    assert message in str(error)
    assert (error.file, error.line) == (FILE, int(message.split(":")[0]))


def test_several_problems_are_told_in_the_order_of_the_file(project):
    text = project.folder.joinpath(FILE).read_text()
    for old in ("label:", "estimator:", "as_of:", "seed:"):
        text = text.replace(old, old.replace("e", "").replace("o", ""))
    project.write(text.replace("task: classification", "colour: red"))
    lines = [int(line.split(":")[1]) for line in str(refused(project)).splitlines()]
    assert lines == [8, 9, 11, 12, 19]


def test_a_misspelt_key_is_not_missing_as_well(project):
    assert len(str(refused(project.replace("estimator:", "estimatr:"))).splitlines()) == 1


def test_a_missing_key_is_told_with_the_line_of_the_settings(project):
    error = refused(project.replace("          label: churned\n", ""))
    assert str(error) == f"{FILE}:8: missing key 'label'. Add 'label: …'."


def test_quoted_jinja_does_not_move_the_line(project):
    text = "test: \"{{ var('w', '30 dys') }}\""
    project.replace("test: 30 days", text)
    settings = project.manifest["exposures"]["exposure.shop.churn"]["config"]["meta"]["snowml"]
    settings["split"]["test"] = "30 dys"
    assert refused(project).line == 18


@pytest.mark.parametrize(
    "text", ["a: {{ b }}\n c", "x: [", "- 1", "exposures: {}", "", "exposures: [{name: other}]", "\t"]
)
def test_a_file_that_does_not_help_leaves_the_message_without_a_line(project, text):
    project.replace("estimator:", "estimatr:")
    project.folder.joinpath(FILE).write_text(text)
    error = refused(project)
    assert str(error).startswith(f"{FILE}: ")
    assert (error.file, error.line) == (FILE, None)


@pytest.mark.parametrize("content", [None, b"\xff\xfe\xff"])
def test_a_file_that_cannot_be_read_leaves_the_message_without_a_line(project, content):
    project.replace("estimator:", "estimatr:")
    path = project.folder / FILE
    path.unlink()
    if content:
        path.write_bytes(content)
    assert str(refused(project)).startswith(f"{FILE}: ")


def test_a_spec_without_a_file_has_messages_without_a_place(project):
    project.replace("estimator:", "estimatr:")
    del project.manifest["exposures"]["exposure.shop.churn"]["original_file_path"]
    assert str(refused(project)).startswith("unknown key 'estimatr'")


def test_settings_are_found_outside_config_too(tmp_path):
    (tmp_path / "x.yml").write_text("exposures:\n- name: x\n  meta:\n    snowml:\n      task: 1\n")
    locator = locate_settings(locate_exposure(tmp_path, "x.yml", "x"))
    assert (locator.line, locator.line_of(("task",))) == (4, 5)


def test_settings_that_stand_in_another_file_have_the_line_of_the_exposure(tmp_path):
    (tmp_path / "x.yml").write_text("exposures:\n- label: x\n  name: x\n")
    assert locate_settings(locate_exposure(tmp_path, "x.yml", "x")).line_of(("label",)) == 3


def test_of_a_repeated_key_the_last_counts(tmp_path):
    (tmp_path / "x.yml").write_text("exposures:\n- name: x\n  type: a\n  type: b\n")
    assert locate_exposure(tmp_path, "x.yml", "x").line_of(("type",)) == 4


keys = st.text("abcdefg_", min_size=1, max_size=6)
trees = st.recursive(
    st.integers() | st.text("xyz: {}'\"#\n", max_size=8),
    lambda inner: (
        st.lists(inner, min_size=1, max_size=3) | st.dictionaries(keys, inner, min_size=1, max_size=4)
    ),
    max_leaves=12,
)


def paths(tree, above=()):
    yield above
    items = tree.items() if isinstance(tree, dict) else enumerate(tree) if isinstance(tree, list) else ()
    for key, value in items:
        yield from paths(value, (*above, key))


@given(st.dictionaries(keys, trees, min_size=1, max_size=4), st.booleans(), st.integers(0, 5))
def test_every_key_of_any_yaml_is_found_on_a_line_that_has_it(tree, flow, blank):
    text = "\n" * blank + yaml.safe_dump(tree, default_flow_style=flow, sort_keys=False)
    lines = text.splitlines()
    locator = Locator("x.yml", 1, yaml.compose(text, Loader=yaml.SafeLoader))
    for path in paths(tree):
        line = locator.line_of(path)
        assert line is not None
        if path and isinstance(path[-1], str):
            # A key such as `a` is on its line, though YAML may need quotes or a question mark for it.
            assert path[-1] in lines[line - 1]
        assert locator.line_of((*path, "no such key")) == line


def test_the_project_folder_may_be_relative(tmp_path, monkeypatch):
    (tmp_path / "x.yml").write_text("exposures:\n- name: x\n")
    monkeypatch.chdir(tmp_path)
    assert locate_exposure(Path(), "x.yml", "x").line == 2
