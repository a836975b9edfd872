"""Which rows scikit-learn refuses is found out by asking it, whatever its reason."""

import numpy as np
import pandas as pd
import pytest

from snowml.errors import DataError
from snowml.workflows.certificate import reference


@pytest.fixture
def asked(monkeypatch):
    """scikit-learn's stand-in, which refuses negative numbers; the sizes of the batches that it was given."""
    sizes = []

    def answer(artifact, frame):
        sizes.append(len(frame))
        if (frame["x"] < 0).any():
            raise ValueError("negative")
        return frame["x"].to_numpy(), frame["x"].to_numpy()

    monkeypatch.setattr(reference, "answer", answer)
    return sizes


@pytest.mark.parametrize("bad", [[], [0], [999], [3, 4, 500]])
def test_only_refused_rows_are_without_an_answer(asked, bad):
    x = np.arange(1000.0)
    x[bad] = -1.0
    found = reference.reference(None, pd.DataFrame({"x": x}))
    assert np.flatnonzero(found.refused).tolist() == bad
    assert np.flatnonzero(np.isnan(found.scores)).tolist() == bad
    assert [i for i, label in enumerate(found.labels) if label is None] == bad
    np.testing.assert_array_equal(found.scores[x >= 0], x[x >= 0])
    assert len(asked) <= 1 + 20 * len(bad)


def test_a_pipeline_that_refuses_everything_says_why(asked):
    found = reference.reference(None, pd.DataFrame({"x": [-1.0, -2.0]}))
    assert found.refused.all()
    with pytest.raises(DataError, match=r"refuses every row of the test window.*negative"):
        reference.require_answers(found, "the test window")
