"""A profile that cannot be read is the project's fault, and its message says what of it is wrong."""

import pytest

from snowml.engines.profile import read_target
from snowml.errors import ProjectError


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (b"shop: [", "profiles.yml:1 is not valid YAML"),
        (b"shop: '\xe4'", "is not valid YAML: 'utf-8' codec"),
        (b"shop: {target: a, outputs: {a: 3}}", "The target 'a' of the profile 'shop'"),
        (b"shop: {target: a, outputs: {a: }}", "The target 'a' of the profile 'shop'"),
        (b"shop: {target: [a], outputs: {a: {type: duckdb}}}", "has no target '['a']'"),
        (b"shop: {target: 1, outputs: {a: {type: duckdb}}}", "has no target '1'. Known: a."),
        (b"shop: {target: a, outputs: {a: {path: '{{ env_var(NOPE) }}'}}}", "'NOPE' is undefined"),
        (
            b"shop: {target: a, outputs: {a: {path: '{{ env_var(\"SNOWML_NOPE\") }}'}}}",
            "profiles.yml needs the environment variable SNOWML_NOPE, which is not set.",
        ),
        (
            b"shop: {target: a, outputs: {a: {threads: '{{ \"[\" | as_number }}'}}}",
            "is '[', which is no value",
        ),
    ],
)
def test_what_cannot_be_read_is_told(tmp_path, text, message):
    (tmp_path / "profiles.yml").write_bytes(text)
    with pytest.raises(ProjectError) as caught:
        read_target("shop", target=None, profiles_dir=tmp_path)
    assert message in str(caught.value)
    assert "profiles.yml" in str(caught.value)
