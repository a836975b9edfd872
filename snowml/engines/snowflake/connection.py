"""From a dbt profile of type snowflake to a Snowpark session."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from snowml.engines.profile import Target
from snowml.engines.snowflake.authentication import SECRET, access_token, arguments, check, fetches_token
from snowml.engines.snowflake.secrets import Secrets

if TYPE_CHECKING:
    from snowflake.snowpark import Session

# Keys of a dbt profile that the connector knows by the same name.
_SAME: Final = (
    *("account", "user", "password", "role", "warehouse", "database", "schema", "token", "passcode"),
    *("host", "port", "protocol", "proxy_host", "proxy_port", "insecure_mode", "network_timeout"),
    *("authenticator", "connection_name"),
)
_HOUR = 3600
_LOGIN = 60


@dataclass(frozen=True, slots=True)
class SnowflakeLogin:
    """What sessions are opened with, read anew for each. It shows none of it, since passwords are among it."""

    target: Target
    secrets: Secrets = field(repr=False)

    @classmethod
    def of(cls, target: Target) -> "SnowflakeLogin":
        """The login that a profile describes.

        The keys are dbt-snowflake's. Five are snowml's own: `connection_name` (of ~/.snowflake/connections.toml),
        `token_file_path`, `passcode`, `statement_timeout` (seconds; an hour if not given) and `network_timeout`.

        Raises:
            ProjectError: Something that is needed is missing.
        """
        settings = target.settings
        check(target)
        return cls(target, Secrets([str(settings[name]) for name in SECRET if settings.get(name)]))

    @property
    def options(self) -> Mapping[str, Any]:
        """What the connector is told now: files of keys and tokens are read when one asks.

        Raises:
            ProjectError: A private key or a token cannot be read.
        """
        settings = self.target.settings
        timeout = int(settings.get("statement_timeout") or _HOUR)
        options = {name: settings[name] for name in _SAME if settings.get(name) is not None}
        if "account" in options:
            # As dbt does: an underscore may stand in an account's name, and not in that of a host.
            options["account"] = str(options["account"]).replace("_", "-")
        options |= arguments(self.target, self.secrets)
        return options | {
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

    def open(self) -> "Session":
        """A new session; errors are the drivers' own, but where a key or a token is to be had.

        Raises:
            ProjectError: A private key or a token cannot be read.
            RetryableError: Tokens are exchanged out of reach; TerminalError: the refresh token is refused.
        """
        from snowflake.snowpark import Session

        options = dict(self.options)
        if fetches_token(self.target):
            options["token"] = access_token(self.target, options["token"], self.secrets)
        session: Session = Session.builder.configs(options).create()
        return session
