"""From a profile of type snowflake to what a session is opened with; nothing of it is ever shown."""

import base64
import logging

import pytest

pytest.importorskip("snowflake.snowpark", reason="the extra 'snowflake' is not installed")

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from snowml.engines.factory import engine_for, open_engine
from snowml.engines.profile import Target, read_target
from snowml.engines.snowflake.connection import SnowflakeLogin
from snowml.engines.snowflake.secrets import HIDDEN, Secrets
from snowml.errors import ProjectError, RetryableError, WarehouseError

PASSWORD = 'p"ass wörd/1'
PASSPHRASE = "a phrase that opens"
PROFILE = """
shop:
  target: prod
  outputs:
    prod:
      type: snowflake
      account: "{{ env_var('TEST_ACCOUNT') }}"
      user: someone
      password: "{{ env_var('TEST_PASSWORD') }}"
      database: analytics
      schema: dev
      threads: "{{ env_var('TEST_THREADS', '4') | as_number }}"
      query_tag: nightly
"""


def target(**settings):
    given = {"type": "snowflake", "account": "acme", "user": "someone", **settings}
    return Target(
        "shop", "prod", "snowflake", {k: v for k, v in given.items() if v is not None}, "profiles.yml"
    )


def login(**settings):
    return SnowflakeLogin.of(target(**settings))


@pytest.fixture(scope="module")
def key():
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def encoded(key, form, passphrase=None):
    encryption = serialization.NoEncryption()
    if passphrase:
        encryption = serialization.BestAvailableEncryption(passphrase.encode())
    return key.private_bytes(form, serialization.PrivateFormat.PKCS8, encryption)


def test_a_profile_is_read_with_its_environment(tmp_path, monkeypatch):
    (tmp_path / "profiles.yml").write_text(PROFILE)
    monkeypatch.setenv("TEST_ACCOUNT", "acme_eu")
    monkeypatch.setenv("TEST_PASSWORD", PASSWORD)
    read = read_target("shop", target=None, profiles_dir=tmp_path)
    options = SnowflakeLogin.of(read).options
    assert (options["account"], options["password"], options["database"]) == (
        "acme-eu",
        PASSWORD,
        "analytics",
    )
    assert "threads" not in options
    assert options["session_parameters"]["QUERY_TAG"] == "nightly"


def test_a_session_is_kept_to_its_times():
    options = login(password=PASSWORD).options
    assert options["client_session_keep_alive"] is False
    assert options["session_parameters"]["STATEMENT_TIMEOUT_IN_SECONDS"] == 3600
    assert options["session_parameters"]["TIMEZONE"] == "UTC"
    assert options["network_timeout"] > 3600 > options["login_timeout"]
    other = login(password=PASSWORD, statement_timeout=60, connect_timeout=5, network_timeout=7).options
    assert other["session_parameters"]["STATEMENT_TIMEOUT_IN_SECONDS"] == 60
    assert (other["login_timeout"], other["network_timeout"]) == (5, 7)


@pytest.mark.parametrize("passphrase", [None, PASSPHRASE])
@pytest.mark.parametrize("given", ["file", "pem", "der"])
def test_a_private_key_is_read_however_dbt_takes_it(tmp_path, key, given, passphrase):
    pem = encoded(key, serialization.Encoding.PEM, passphrase)
    (tmp_path / "key.p8").write_bytes(pem)
    der = base64.b64encode(encoded(key, serialization.Encoding.DER, passphrase)).decode()
    settings = {
        "file": {"private_key_path": str(tmp_path / "key.p8")},
        "pem": {"private_key": pem.decode()},
        "der": {"private_key": der},
    }
    options = login(**settings[given], private_key_passphrase=passphrase).options
    assert options["private_key"] == encoded(key, serialization.Encoding.DER)
    assert "private_key_passphrase" not in options


@pytest.mark.parametrize("passphrase", [None, "another phrase"])
def test_a_private_key_that_cannot_be_read_is_not_shown(key, passphrase):
    pem = encoded(key, serialization.Encoding.PEM, PASSPHRASE).decode()
    with pytest.raises(ProjectError, match="cannot be read as a private key") as caught:
        _ = login(private_key=pem, private_key_passphrase=passphrase).options
    assert pem.splitlines()[1] not in str(caught.value)
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__


def test_other_ways_to_log_in():
    browser = login(authenticator="externalbrowser").options
    assert (browser["authenticator"], browser["client_store_temporary_credential"]) == (
        "externalbrowser",
        True,
    )
    oauth = login(authenticator="oauth", token="a-token", user=None).options
    assert (oauth["authenticator"], oauth["token"]) == ("oauth", "a-token")
    assert login(authenticator="jwt", token="a-token").options["authenticator"] == "oauth"
    pat = login(authenticator="PROGRAMMATIC_ACCESS_TOKEN", token="a-token", user=None).options
    assert (pat["authenticator"], pat["token"]) == ("PROGRAMMATIC_ACCESS_TOKEN", "a-token")
    machine = login(
        authenticator="workload_identity", workload_identity_provider="AWS", user=None, token=None
    ).options
    assert machine["workload_identity_provider"] == "AWS"
    mfa = login(authenticator="username_password_mfa", password=PASSWORD, passcode="123456").options
    assert (mfa["passcode"], mfa["client_request_mfa_token"]) == ("123456", True)
    asked = {"oauth_client_id": "id", "oauth_client_secret": "sec", "oauth_scope": "role:R"}
    client = login(authenticator="oauth_client_credentials", user=None, **asked).options
    assert {name: client[name] for name in asked} == asked


def test_a_connection_is_named_as_the_other_clients_name_it(monkeypatch):
    from snowflake.connector.config_manager import CONFIG_MANAGER

    monkeypatch.setattr(CONFIG_MANAGER, "conf_file_cache", {"connections": {"prod": {"password": PASSWORD}}})
    named = login(connection_name="prod", account=None, user=None)
    assert named.options["connection_name"] == "prod"
    assert "account" not in named.options
    assert named.secrets.hide(f"in {PASSWORD}") == f"in {HIDDEN}"
    with pytest.raises(ProjectError, match="Did you mean 'prod'"):
        _ = login(connection_name="prd", account=None, user=None).options


def test_keys_and_tokens_that_were_rotated_are_read_again(tmp_path, key):
    file = tmp_path / "key.p8"
    file.write_bytes(encoded(key, serialization.Encoding.PEM))
    token = tmp_path / "token"
    token.write_text("first-token\n")
    made = login(private_key_path=str(file))
    by_token = login(authenticator="oauth", token_file_path=str(token), user=None)
    before = made.options["private_key"], by_token.options["token"]
    newer = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    file.write_bytes(encoded(newer, serialization.Encoding.PEM))
    token.write_text("second-token")
    after = made.options["private_key"], by_token.options["token"]
    assert before == (encoded(key, serialization.Encoding.DER), "first-token")
    assert after == (encoded(newer, serialization.Encoding.DER), "second-token")
    assert by_token.secrets.hide("first-token second-token") == f"{HIDDEN} {HIDDEN}"
    assert file.read_text().splitlines()[1] not in made.secrets.hide(file.read_text())


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"account": None}, "needs account, or a connection_name"),
        ({"account": None, "user": None}, "needs account and user"),
        ({"private_key": "x", "private_key_path": "y"}, "both private_key and private_key_path"),
        ({"private_key_path": "/nowhere/key.p8"}, r"/nowhere/key\.p8 cannot be read"),
        ({"private_key": "no key!"}, "neither PEM nor DER"),
        ({"authenticator": "oauth"}, "oauth and no token"),
        ({"authenticator": "oauth", "token": "t", "oauth_client_id": "c"}, "oauth_client_id alone"),
        ({"token": "t", "oauth_client_secret": "c"}, "oauth_client_secret without authenticator: oauth"),
        ({"authenticator": "programmatic_access_token"}, "Give token, or token_file_path"),
        ({"authenticator": "workload_identity"}, "no workload_identity_provider"),
        ({"token": "t", "token_file_path": "f"}, "both token and token_file_path"),
        ({"token_file_path": "/nowhere/token"}, r"token file /nowhere/token cannot be read: No such file"),
        (
            {"connection_name": "dev", "account": None, "authenticator": "oauth", "token": "t"}
            | {"oauth_client_id": "c", "oauth_client_secret": "s"},
            "oauth_client_id and no account",
        ),
        ({"connection_name": "no such one"}, "no connection 'no such one'"),
    ],
)
def test_what_is_missing_or_wrong_is_named(settings, message):
    with pytest.raises(ProjectError, match=message):
        _ = login(**settings).options


def test_no_representation_shows_a_secret():
    made = target(password=PASSWORD, token="a-token")
    for shown in (repr(made), str(made), repr(SnowflakeLogin.of(made)), repr(Secrets([PASSWORD]))):
        assert "ass w" not in shown
        assert "a-token" not in shown


@pytest.mark.parametrize(
    "form", [PASSWORD, repr({"a": PASSWORD}), "p%22ass%20w%C3%B6rd%2F1", r"p\"ass w\u00f6rd/1"]
)
def test_a_secret_is_hidden_in_every_form(form):
    hidden = Secrets([PASSWORD]).hide(f"before {form} after")
    assert HIDDEN in hidden
    assert "ass" not in hidden


def test_each_line_of_a_key_is_hidden(key):
    pem = encoded(key, serialization.Encoding.PEM).decode()
    secrets = Secrets([pem])
    for line in pem.splitlines()[1:-1]:
        assert secrets.hide(f"line {line} read") == f"line {HIDDEN} read"
    assert secrets.hide("-----BEGIN PRIVATE KEY-----") == "-----BEGIN PRIVATE KEY-----"


def test_a_warehouse_out_of_reach_may_be_tried_again_and_nothing_tells_the_password(caplog):
    nobody = target(
        password=PASSWORD, protocol="http", host="127.0.0.1", port=1, connect_timeout=1, network_timeout=1
    )
    with caplog.at_level(logging.DEBUG), pytest.raises(RetryableError) as caught:
        open_engine(nobody)
    assert PASSWORD not in "".join(chain(caught.value))
    assert "ass w" not in caplog.text


def chain(error):
    while error is not None:
        yield f"{error} {error!r} {vars(error)}"
        error = error.__cause__ or error.__context__


def test_what_is_no_session_is_refused():
    with pytest.raises(ProjectError, match="dict is not a session"):
        engine_for({})
    assert issubclass(RetryableError, WarehouseError)
