import pytest
from test_spec_settings import BARE, complaint

from snowml.spec.audit import Audit
from snowml.spec.validation import validated


def test_an_audit_has_defaults():
    assert validated(BARE).audit == Audit(cuts=5, max_auc=0.97, max_r2=0.9, unseen_entities=False)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"cut": 5}, "unknown key 'cut' in 'audit'. Did you mean 'cuts'?"),
        ({"cuts": 0}, "audit.cuts: 0 is not a number of cuts from 1 to 100"),
        ({"max_auc": 1.5}, "audit.max_auc: 1.5 is not above 0 and up to 1"),
        ({"max_r2": "high"}, "audit.max_r2: 'high' is not a finite number"),
        ([1], "audit: [1] is not a mapping"),
    ],
)
def test_what_an_audit_cannot_use_is_refused(given, message):
    assert message in complaint(BARE, audit=given)


def test_how_a_model_is_audited_does_not_change_the_model(project):
    spec = project.read()
    other = spec.model_copy(
        update={
            "given": None,
            "settings": spec.settings.model_copy(update={"audit": Audit(cuts=7, max_auc=0.5)}),
        }
    )
    assert other.hash == spec.hash
    assert other.to_json() != spec.to_json()
