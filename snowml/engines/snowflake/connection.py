"""From a dbt profile of type snowflake to a Snowpark session."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from snowml.engines.profile import Target
from snowml.engines.snowflake.keys import private_key
from snowml.engines.snowflake.secrets import Secrets
from snowml.errors import ProjectError

if TYPE_CHECKING:
    from snowflake.snowpark import Session

# Keys of a dbt profile that the connector knows by the same name.
_SAME: Final = (
    *("account", "user", "password", "role", "warehouse", "database", "schema", "token", "passcode"),
    *("host", "port", "protocol", "proxy_host", "proxy_port", "insecure_mode", "network_timeout"),
    *("authenticator", "connection_name"),
)
_SECRET: Final = (
    "password",
    "token",
    "passcode",
    "private_key",
    "private_key_passphrase",
    "oauth_client_secret",
)
_HOUR = 3600
_LOGIN = 60


@dataclass(frozen=True, slots=True)
class SnowflakeLogin:
    """What a session is opened with. It shows none of it, since passwords are among it."""

    options: Mapping[str, Any] = field(repr=False)
    secrets: Secrets = field(repr=False)

    @classmethod
    def of(cls, target: Target) -> "SnowflakeLogin":
        """The login that a profile describes.

        The keys are dbt-snowflake's. Three are snowml's own: `connection_name` (of ~/.snowflake/connections.toml),
        `statement_timeout` (seconds; an hour if not given) and `network_timeout`.

        Raises:
            ProjectError: Something that is needed is missing, or a private key cannot be read.
        """
        settings = target.settings
        secrets = Secrets([str(settings[name]) for name in _SECRET if settings.get(name)])
        _check(target)
        timeout = int(settings.get("statement_timeout") or _HOUR)
        options = {name: settings[name] for name in _SAME if settings.get(name) is not None}
        if "account" in options:
            # As dbt does: an underscore may stand in an account's name, and not in that of a host.
            options["account"] = str(options["account"]).replace("_", "-")
        options |= _authentication(target)
        options |= {
            "client_session_keep_alive": False,
            "paramstyle": "qmark",
            "application": "snowml",
            "login_timeout": int(settings.get("connect_timeout") or _LOGIN),
            # A request is repeated for as long; the statement's own timeout comes first.
            "network_timeout": int(settings.get("network_timeout") or timeout + _LOGIN),
            "session_parameters": {
                "QUERY_TAG": str(settings.get("query_tag") or "snowml"),
                "STATEMENT_TIMEOUT_IN_SECONDS": timeout,
                "TIMEZONE": "UTC",
                "TIMESTAMP_TYPE_MAPPING": "TIMESTAMP_NTZ",
            },
        }
        return cls(options, secrets)

    def open(self) -> "Session":
        """A new session; errors are the drivers' own."""
        from snowflake.snowpark import Session

        session: Session = Session.builder.configs(dict(self.options)).create()
        return session


def _check(target: Target) -> None:
    settings = target.settings
    place = f"The target '{target.name}' in {target.file}"
    if not settings.get("connection_name"):
        missing = [name for name in ("account", "user") if not settings.get(name)]
        if missing and not (missing == ["user"] and settings.get("token")):
            raise ProjectError(f"{place} needs {' and '.join(missing)}, or a connection_name.")
    if settings.get("private_key") and settings.get("private_key_path"):
        raise ProjectError(f"{place} has both private_key and private_key_path; give one.")
    if settings.get("authenticator") == "oauth" and not settings.get("token"):
        raise ProjectError(f"{place} has authenticator: oauth and no token.")
    if settings.get("oauth_client_id") or settings.get("oauth_client_secret"):
        raise ProjectError(
            f"{place} asks for an OAuth refresh, which snowml does not do: give an access token as token, or use a "
            "key pair (private_key_path)."
        )


def _authentication(target: Target) -> dict[str, Any]:
    """What is not passed on as it is: a private key is read, and dbt's name for a ready token is OAuth's."""
    settings = target.settings
    found: dict[str, Any] = {}
    text, path = settings.get("private_key"), settings.get("private_key_path")
    if text or path:
        file = Path(str(path)).expanduser() if path else None
        found["private_key"] = private_key(text, file, settings.get("private_key_passphrase"))
    if settings.get("authenticator") == "jwt":
        found["authenticator"] = "oauth"
    if settings.get("authenticator") == "externalbrowser":
        # The browser is asked once, and not for every session.
        found["client_store_temporary_credential"] = True
    return found
