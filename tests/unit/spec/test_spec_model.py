import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from snowml.errors import SpecError
from snowml.names import Relation
from snowml.spec.model import ModelSpec

scalars = (
    st.none()
    | st.booleans()
    | st.integers(-(2**60), 2**60)
    | st.text()
    | st.floats(allow_nan=False, allow_infinity=False)
)
relations = st.builds(Relation, st.text(), st.text(), st.none() | st.text())
quiet = settings(suppress_health_check=[HealthCheck.function_scoped_fixture])


@quiet
@given(
    params=st.dictionaries(st.text(), scalars | st.lists(scalars)),
    positive=scalars,
    relation=relations,
    file=st.none() | st.text(),
)
def test_a_spec_survives_json(project, params, positive, relation, file):
    read = project.read(overrides={"params": params, "positive": positive})
    spec = read.model_copy(update={"training_set": relation, "file": file})
    again = ModelSpec.from_json(spec.to_json())
    assert again == spec.model_copy(update={"manifest_hash": None})
    assert again.hash == spec.hash
    assert again.to_json() == spec.to_json()
    assert type(again.settings.positive) is type(spec.settings.positive)
    assert isinstance(again.training_set, Relation)


def test_the_hash_changes_with_the_model(project):
    spec = project.read()
    changes = [
        {"params.C": 2},
        {"seed": 1},
        {"split.test": "31 days"},
        {"gates": []},
        {"features.exclude": ["note"]},
        {"scoring_set": "churn_training_set"},
    ]
    hashes = {project.read(overrides=change).hash for change in changes}
    assert len(hashes | {spec.hash}) == len(changes) + 1
    assert spec.model_copy(update={"name": "other"}).hash != spec.hash
    assert len(spec.hash) == 64


def test_the_hash_is_the_same_wherever_and_whenever_the_model_is(project):
    spec = project.read()
    elsewhere = {"file": "b.yml", "git_commit": "abc", "manifest_hash": "x", "target": "prod", "owner": "me"}
    assert spec.model_copy(update=elsewhere).hash == spec.hash


def test_the_order_of_keys_does_not_change_the_hash(project):
    before = project.read().hash
    assert project.replace("{tol: 1e-9, C: 1.0}", "{C: 1.0, tol: 1.0e-9}").read().hash == before


@pytest.mark.parametrize("text", ["", "{", "nonsense", "[" * 100_000])
def test_text_that_is_no_json_is_refused(text):
    with pytest.raises(
        SpecError, match=r"^a stored specification is not JSON: .*train or deploy the model again"
    ):
        ModelSpec.from_json(text)


@pytest.mark.parametrize("text", ["null", "[]", "3", "{}", '{"name": 3}'])
def test_json_that_is_no_spec_is_refused(text):
    with pytest.raises(
        SpecError, match=r"^a stored specification cannot be read: .*train or deploy the model again"
    ):
        ModelSpec.from_json(text)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda raw: raw.pop("target"), "missing key 'target'"),
        (lambda raw: raw.update(colour="red"), "unknown key 'colour'"),
        (lambda raw: raw["settings"].update(colour="red"), "unknown key 'colour' in 'settings'"),
        (lambda raw: raw["settings"].pop("label_at"), "missing key 'label_at' in 'settings'"),
        (lambda raw: raw["training_set"].pop("schema"), "missing key 'schema' in 'training_set'"),
        (lambda raw: raw.update(training_set="a.b"), "training_set: 'a.b' "),
    ],
)
def test_a_spec_of_another_version_is_refused_with_what_differs(project, change, message):
    raw = json.loads(project.read().to_json())
    change(raw)
    with pytest.raises(SpecError) as caught:
        ModelSpec.from_json(json.dumps(raw))
    assert message in str(caught.value)


def test_a_spec_cannot_be_changed(project):
    with pytest.raises(ValueError, match="frozen"):
        project.read().name = "other"
