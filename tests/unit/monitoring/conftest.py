import pytest


@pytest.fixture
def fetched(engine, monkeypatch):
    """How many rows left the warehouse, query by query."""
    counts, query = [], engine.query

    def counting(sql, params=()):
        answer = query(sql, params)
        counts.append(answer.num_rows)
        return answer

    monkeypatch.setattr(engine, "query", counting)
    return counts
