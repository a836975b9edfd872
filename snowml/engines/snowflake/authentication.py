"""How a profile proves who it is: the fields of dbt-snowflake as the connector's arguments.

Files are read and tokens are fetched here, each time that a session is opened: what was rotated since is what is used.
"""

import base64
import json
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path
from typing import Any, Final

from snowml.engines.profile import Target
from snowml.engines.snowflake.keys import private_key
from snowml.engines.snowflake.secrets import Secrets
from snowml.errors import ProjectError, RetryableError, TerminalError, did_you_mean

# Fields that may be printed nowhere.
SECRET: Final = (
    *("password", "token", "passcode", "private_key", "private_key_passphrase", "private_key_file_pwd"),
    *("oauth_client_secret", "proxy_password"),
)
# Those who come with a token, or fetch one, need no user; nor does a machine that proves what it is.
_BY_TOKEN: Final = ("oauth", "jwt", "programmatic_access_token")
_WITHOUT_USER: Final = (
    *_BY_TOKEN,
    *("workload_identity", "oauth_client_credentials", "oauth_authorization_code"),
)
# The connector itself fetches the token for these.
_FETCHED_BY_CONNECTOR: Final = ("oauth_client_credentials", "oauth_authorization_code")
_OAUTH: Final = (
    *("oauth_client_id", "oauth_client_secret", "oauth_scope", "oauth_token_request_url"),
    *("oauth_authorization_url", "oauth_redirect_uri"),
)
_WORKLOAD: Final = ("workload_identity_provider", "workload_identity_entra_resource")
_TIMEOUT: Final = 60


def check(target: Target) -> None:
    """Refuse a profile that lacks something, or has too much.

    Raises:
        ProjectError: It does; the message names the fields, and none of their values but the authenticator's.
    """
    settings, kind = target.settings, authenticator(target)
    place = f"The target '{target.name}' in {target.file}"
    if not settings.get("connection_name"):
        needed = ("account",) if kind in _WITHOUT_USER else ("account", "user")
        missing = [name for name in needed if not settings.get(name)]
        if missing:
            raise ProjectError(f"{place} needs {' and '.join(missing)}, or a connection_name.")
    for one, other in (("private_key", "private_key_path"), ("token", "token_file_path")):
        if settings.get(one) and settings.get(other):
            raise ProjectError(f"{place} has both {one} and {other}; give one.")
    if kind in _BY_TOKEN and not (settings.get("token") or settings.get("token_file_path")):
        raise ProjectError(f"{place} has authenticator: {kind} and no token. Give token, or token_file_path.")
    if kind == "workload_identity" and not settings.get("workload_identity_provider"):
        raise ProjectError(f"{place} has authenticator: {kind} and no workload_identity_provider.")
    client = [name for name in ("oauth_client_id", "oauth_client_secret") if settings.get(name)]
    if client and kind not in ("oauth", *_FETCHED_BY_CONNECTOR):
        raise ProjectError(f"{place} has {client[0]} without authenticator: oauth.")
    if len(client) == 1 and kind == "oauth":
        raise ProjectError(
            f"{place} has {client[0]} alone; a refresh needs oauth_client_id and oauth_client_secret."
        )
    if fetches_token(target) and not (settings.get("account") or settings.get("host")):
        raise ProjectError(f"{place} has oauth_client_id and no account, whose address refreshes the token.")


def authenticator(target: Target) -> str:
    """The authenticator's name in lower case; empty where the profile has none, which means a password or a key."""
    return str(target.settings.get("authenticator") or "").lower()


def fetches_token(target: Target) -> bool:
    """Whether its token is one that is exchanged for an access token at each login."""
    return authenticator(target) == "oauth" and bool(target.settings.get("oauth_client_id"))


def arguments(target: Target, secrets: Secrets) -> dict[str, Any]:
    """What is not passed on as it stands in the profile; each secret that is read on the way is added to `secrets`.

    Raises:
        ProjectError: A file cannot be read, or holds no key that the passphrase opens.
        RetryableError: The address that exchanges tokens is out of reach; TerminalError: it refused.
    """
    settings, kind = target.settings, authenticator(target)
    found: dict[str, Any] = {}
    if settings.get("private_key") or settings.get("private_key_path"):
        path = settings.get("private_key_path")
        file = Path(str(path)).expanduser() if path else None
        found["private_key"] = private_key(
            settings.get("private_key"), file, settings.get("private_key_passphrase"), secrets
        )
    if settings.get("token_file_path"):
        found["token"] = _token_of(Path(str(settings["token_file_path"])).expanduser(), secrets)
    if kind == "jwt":
        # dbt's name for a token that is ready: to the connector it is OAuth's.
        found["authenticator"] = "oauth"
    if kind in _FETCHED_BY_CONNECTOR:
        found |= {name: settings[name] for name in _OAUTH if settings.get(name)}
    if kind == "workload_identity":
        found |= {name: settings[name] for name in _WORKLOAD if settings.get(name)}
    if kind in ("externalbrowser", "username_password_mfa", *_FETCHED_BY_CONNECTOR):
        # A person is asked once, and not for every session.
        found["client_store_temporary_credential"] = True
    if kind == "username_password_mfa":
        found["client_request_mfa_token"] = True
    if settings.get("connection_name"):
        _known(str(settings["connection_name"]), secrets)
    return found


def access_token(target: Target, refresh_token: str, secrets: Secrets) -> str:
    """The access token that Snowflake gives for a refresh token, as dbt-snowflake asks for it."""
    settings = target.settings
    client = f"{settings['oauth_client_id']}:{settings['oauth_client_secret']}".encode()
    basic = base64.b64encode(client).decode()
    secrets.add(basic)
    form = {
        "grant_type": "refresh_token",
        "refresh_token": refresh_token,
        # It has to be there, and is not used.
        "redirect_uri": "http://localhost:9999",
    }
    request = urllib.request.Request(  # noqa: S310  # the profile says where
        _token_url(target),
        data=urllib.parse.urlencode(form).encode(),
        headers={
            "Authorization": f"Basic {basic}",
            "Content-Type": "application/x-www-form-urlencoded;charset=utf-8",
        },
    )
    try:
        with urllib.request.urlopen(request, timeout=_TIMEOUT) as response:  # noqa: S310
            answer = json.load(response)
    except urllib.error.HTTPError as error:
        # It is the answer too. What stands in it may repeat the token.
        error.close()
        if error.code >= 500 or error.code == 429:
            raise RetryableError(f"Snowflake gave no OAuth token just now (HTTP {error.code}).") from None
        raise _refused(target, f"HTTP {error.code}") from None
    except (OSError, ValueError) as error:
        why = getattr(error, "reason", None) or type(error).__name__
        raise RetryableError(f"{_token_url(target)} gave no OAuth token: {why}.") from None
    if not isinstance(answer, dict) or not answer.get("access_token"):
        raise _refused(target, "no access_token in the answer")
    secrets.add(str(answer["access_token"]))
    return str(answer["access_token"])


def _token_url(target: Target) -> str:
    settings = target.settings
    host = settings.get("host") or f"{settings['account']}.snowflakecomputing.com".replace("_", "-")
    port = f":{settings['port']}" if settings.get("port") else ""
    return f"{settings.get('protocol') or 'https'}://{host}{port}/oauth/token-request"


def _refused(target: Target, why: str) -> TerminalError:
    return TerminalError(
        f"Snowflake refused the OAuth refresh token of the target '{target.name}' in {target.file} ({why}). It has "
        "expired or is of another client: log in with the identity provider again, and give the new one as token."
    )


def _token_of(file: Path, secrets: Secrets) -> str:
    try:
        token = file.read_text("utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        why = getattr(error, "strerror", None) or "it is not text"
        raise ProjectError(f"The token file {file} cannot be read: {why}.") from None
    if not token:
        raise ProjectError(f"The token file {file} is empty.")
    secrets.add(token)
    return token


def _known(name: str, secrets: Secrets) -> None:
    """Refuse a connection that the connector's own files do not describe, and keep the secrets of one that they do."""
    from snowflake.connector.config_manager import CONFIG_MANAGER

    connections: Any = CONFIG_MANAGER["connections"]
    if name not in connections:
        raise ProjectError(
            f"There is no connection '{name}' in connections.toml or config.toml of Snowflake's clients."
            f"{did_you_mean(name, connections)}"
        )
    for field in SECRET:
        if connections[name].get(field):
            secrets.add(str(connections[name][field]))
