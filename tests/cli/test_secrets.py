"""What a profile holds in confidence is printed, logged, written and sent nowhere, whatever becomes of a command."""

import json
import logging

import pytest

pytest.importorskip("dbt.adapters.snowflake", reason="the extra 'snowflake' is not installed")
pytest.importorskip("fakesnow", reason="the extra 'test-snowflake' is not installed")

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from snowml.engines.snowflake.connection import SnowflakeLogin

pytestmark = pytest.mark.dbt

PASSWORD, PASSPHRASE, TOKEN = "Open, sesame 4711", "a phrase that opens", "ver:1-hint:token-of-mine"
COMMANDS = {
    "setup": ("deploy", "--setup"),
    "plan": ("deploy", "--dry-run", "--sql"),
    "compare": ("deploy", "--dry-run", "--compare", "--json"),
    "apply": ("deploy",),
    "doctor": ("doctor",),
    "versions": ("versions", "churn"),
    "build": ("build",),
    "train": ("train", "churn", "--as-of", "2024-06-01"),
    "predict": ("predict", "churn", "--as-of", "2024-06-01"),
}


@pytest.fixture(scope="module")
def pem():
    return (
        rsa.generate_private_key(public_exponent=65537, key_size=2048)
        .private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.BestAvailableEncryption(PASSPHRASE.encode()),
        )
        .decode()
    )


@pytest.fixture
def made(written, warehouse, pem):
    """The project with a target on the stand-in that holds each kind of secret."""
    add_target(written, warehouse, pem)
    return written


def add_target(folder, warehouse, pem, **changes):
    parameters = {key: value for key, value in warehouse.parameters.items() if key != "session_parameters"}
    target = {
        **parameters,
        "type": "snowflake",
        "threads": 1,
        "schema": "ANALYTICS",
        "warehouse": "W",
        "password": PASSWORD,
        "private_key": pem,
        "private_key_passphrase": PASSPHRASE,
        "token": TOKEN,
        **changes,
    }
    text = (folder.folder / "profiles.yml").read_text("utf-8") + f"    snow: {json.dumps(target)}\n"
    folder.write("profiles.yml", text)


def secrets(pem):
    opened = serialization.load_pem_private_key(pem.encode(), PASSPHRASE.encode())
    plain = opened.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()
    lines = [line for text in (pem, plain) for line in text.splitlines() if not line.startswith("-----")]
    # Of the last line little may be left, and that is found by chance.
    return [PASSWORD, PASSPHRASE, TOKEN, *(line for line in lines if len(line) > 20)]


def written_by(folder):
    for file in folder.rglob("*"):
        if file.is_file() and file.name != "profiles.yml":
            yield file.read_bytes().decode("latin-1")


def assert_kept(pem, *places):
    for secret in secrets(pem):
        for place in places:
            assert secret not in place, f"{secret!r} stands in {place[:2000]}"


def test_no_command_tells_a_secret_done_or_failed(made, warehouse, pem, caplog):
    codes = {}
    with caplog.at_level(logging.DEBUG):
        for name, command in COMMANDS.items():
            answer = made.cli(*command, "--target", "snow")
            codes[name] = answer.code
            assert_kept(pem, answer.out, answer.err)
    # Some end well, and some do not: there is no data. None is a defect.
    assert (codes["setup"], codes["plan"], codes["compare"], codes["apply"]) == (0, 0, 0, 0)
    assert (codes["versions"], codes["train"], codes["predict"]) == (2, 2, 2)
    assert 70 not in codes.values()
    assert_kept(pem, caplog.text, *written_by(made.folder))
    asked = warehouse.records
    assert len(asked) > 50
    assert_kept(pem, *(f"{record.sql} {record.error} {record.query_tag}" for record in asked))


def test_a_refused_login_tells_no_secret(written, warehouse, pem, caplog):
    add_target(written, warehouse, pem, port=1, connect_timeout=1, network_timeout=1, authenticator="oauth")
    with caplog.at_level(logging.DEBUG):
        answer = written.cli("doctor", "--target", "snow")
        failed = written.cli("versions", "churn", "--target", "snow")
    assert failed.code == 3
    assert_kept(pem, answer.out, answer.err, failed.out, failed.err, caplog.text)


def test_a_wrong_passphrase_tells_neither_phrase_nor_key(written, warehouse, pem):
    add_target(written, warehouse, pem, private_key_passphrase="another one of mine")
    failed = written.cli("versions", "churn", "--target", "snow")
    assert (failed.code, failed.out) == (2, "")
    assert "Is private_key_passphrase right?" in failed.err
    assert "another one of mine" not in failed.err
    assert_kept(pem, failed.err)


def test_a_defect_is_printed_whole_and_without_secrets(made, pem, monkeypatch):
    def broken(self):
        raise RuntimeError(f"{self!r} with {dict(self.options)!r} of {self.target.settings!r}")

    monkeypatch.setattr(SnowflakeLogin, "open", broken)
    failed = made.cli("versions", "churn", "--target", "snow")
    assert failed.code == 70
    assert "RuntimeError" in failed.err
    assert "***" in failed.err
    # The console folds its lines.
    assert_kept(pem, failed.err, failed.err.replace("\n", ""))
