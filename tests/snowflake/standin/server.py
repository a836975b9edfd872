"""The HTTP side: login, queries, goodbye; and for the tests databases and records."""

import argparse
import asyncio
import base64
import gzip
import json
import logging
import os
import secrets
import socket
import sys
import threading
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import parse_qs

import fakesnow.transforms
import uvicorn
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from standin.session import Account, Login, Session
from standin.statements import respond
from standin.troubles import Trouble

# What the OAuth integration knows.
OAUTH_CLIENT, OAUTH_REFRESH = "client-of-mine:secret-of-mine", "refresh-of-mine"

log = logging.getLogger("standin")
Handler = Callable[[Request, dict[str, Any]], Awaitable[Any]]


class Refused(Exception):
    """The session token is missing, or nobody's, or expired."""

    def __init__(self, code: str = "390104", message: str = "Log in again.") -> None:
        super().__init__(message)
        self.code, self.message = code, message


class Server:
    """The routes of one account."""

    def __init__(self, account: Account) -> None:
        self.account = account

    def app(self) -> Starlette:
        routes = {
            "/session/v1/login-request": self.login,
            "/session": self.session,
            "/session/heartbeat": self.session,
            "/queries/v1/query-request": self.query,
            "/queries/v1/abort-request": self.abort,
            "/telemetry/send": self.telemetry,
            "/standin/trouble": self.trouble,
            "/standin/seen": self.seen,
            "/standin/create": self.create,
            "/standin/drop": self.drop,
            "/standin/records": self.records,
        }
        listed = [Route(path, _json(handler), methods=["POST"]) for path, handler in routes.items()]
        return Starlette(routes=[*listed, Route("/oauth/token-request", self.oauth, methods=["POST"])])

    async def login(self, request: Request, body: dict[str, Any]) -> Any:
        given = body["data"]["SESSION_PARAMETERS"]
        if body["data"].get("AUTHENTICATOR") == "OAUTH" and not body["data"]["TOKEN"].startswith("access-"):
            raise Refused("390318", "OAuth access token expired.")
        database, schema = (request.query_params.get(key) for key in ("databaseName", "schemaName"))
        # A handler shares the session of its caller.
        caller = self.account.logins.get(given.get("STANDIN_CALLER", ""))
        session = (
            caller.session if caller else await run_in_threadpool(Session, self.account, database, schema)
        )
        token = secrets.token_urlsafe(32)
        origin = "procedure" if caller else "client"
        self.account.logins[token] = Login(
            session,
            origin,
            given.get("QUERY_TAG") or (caller and caller.query_tag),
            int(given.get("STATEMENT_TIMEOUT_IN_SECONDS") or 172_800),
        )
        database, schema = session.place
        data = {
            "token": token,
            # Without one the connector never closes its session, and says nothing.
            "masterToken": token,
            "serverVersion": fakesnow.transforms.SERVER_VERSION,
            # Zero keeps the rows of an array binding in the request; else they come as a file on a stage.
            "parameters": [
                {"name": "AUTOCOMMIT", "value": True},
                {"name": "CLIENT_STAGE_ARRAY_BINDING_THRESHOLD", "value": 0},
                {"name": "TIMEZONE", "value": "Etc/UTC"},
            ],
            "sessionInfo": {
                "databaseName": database,
                "schemaName": schema,
                "warehouseName": "STANDIN",
                "roleName": "STANDIN",
            },
            "sessionId": session.id,
        }
        return {"data": data, "success": True}

    async def oauth(self, request: Request) -> JSONResponse:
        """A refresh token for an access token, if it is one of the only client that there is."""
        form = {name: values[0] for name, values in parse_qs((await request.body()).decode()).items()}
        client = base64.b64encode(OAUTH_CLIENT.encode()).decode()
        if (
            form.get("grant_type") != "refresh_token"
            or form.get("refresh_token") != OAUTH_REFRESH
            or request.headers.get("Authorization") != f"Basic {client}"
        ):
            return JSONResponse({"error": "invalid_grant", "given": form}, status_code=400)
        return JSONResponse({"access_token": f"access-{secrets.token_hex(8)}", "token_type": "Bearer"})

    async def session(self, request: Request, _: dict[str, Any]) -> Any:
        login = self._login(request)
        if request.query_params.get("delete"):
            del self.account.logins[_token(request)]
            await run_in_threadpool(login.close)
        return {"data": None, "code": None, "message": None, "success": True}

    async def query(self, request: Request, body: dict[str, Any]) -> Any:
        login = self._login(request)
        trouble = self.account.troubles.get(login.session.home or "")
        if trouble and login.origin == "client" and trouble.expires_now():
            # What was not committed is undone, and temporary objects are gone, as when one logs out.
            del self.account.logins[_token(request)]
            await run_in_threadpool(login.close)
            raise Refused(trouble.code, "Session no longer exists. New login required to access the service.")
        return await run_in_threadpool(respond, login, body)

    async def abort(self, request: Request, _: dict[str, Any]) -> Any:
        login = self._login(request)
        login.canceled.set()
        if login.lock.locked():
            login.session.duckdb.interrupt()
        return {"data": None, "success": True}

    async def telemetry(self, _: Request, __: dict[str, Any]) -> Any:
        return {"data": None, "success": True}

    async def trouble(self, _: Request, body: dict[str, Any]) -> Any:
        database = body.pop("database")
        self.account.troubles[database] = Trouble(**body)

    async def seen(self, _: Request, body: dict[str, Any]) -> Any:
        trouble = self.account.troubles[body["database"]]
        return {"success": True, "statements": trouble.seen, "held": trouble.held.is_set()}

    async def create(self, _: Request, body: dict[str, Any]) -> Any:
        await run_in_threadpool(self.account.create_database, body["database"])

    async def drop(self, _: Request, body: dict[str, Any]) -> Any:
        await run_in_threadpool(self.account.drop_database, body["database"])

    async def records(self, _: Request, body: dict[str, Any]) -> Any:
        return self.account.records.about(body["database"])

    def _login(self, request: Request) -> Login:
        login = self.account.logins.get(_token(request))
        if login is None:
            raise Refused
        return login


def _token(request: Request) -> str:
    return request.headers.get("Authorization", "").removeprefix('Snowflake Token="').removesuffix('"')


def _json(handler: Handler) -> Callable[[Request], Awaitable[JSONResponse]]:
    """Reads the body; answers with status 200 whatever happens: after a 500 the connector asks again, for ever."""

    async def handle(request: Request) -> JSONResponse:
        body = await request.body()
        if request.headers.get("Content-Encoding") == "gzip":
            body = gzip.decompress(body)
        try:
            return JSONResponse(await handler(request, json.loads(body or "{}")))
        except Refused as refused:
            return JSONResponse(
                {"data": None, "code": refused.code, "message": refused.message, "success": False}
            )
        except Exception as error:
            log.exception("%s", request.url.path)
            message = f"The stand-in failed: {type(error).__name__}: {error}"
            return JSONResponse({"data": None, "code": "000603", "message": message, "success": False})

    return handle


def main() -> None:
    """Serves on a free port, says which, and ends when its standard input does."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--python", default=sys.executable)
    logging.basicConfig(stream=sys.stderr, level=logging.WARNING)
    account = Account(parser.parse_args().python)
    listening = socket.create_server(("127.0.0.1", 0))
    # An answer's head and body are two packets: the second is not to wait 40 ms for the client's word on the first.
    listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    account.port = listening.getsockname()[1]
    config = uvicorn.Config(
        Server(account).app(), log_level="warning", lifespan="off", timeout_graceful_shutdown=1
    )
    server = uvicorn.Server(config)

    def until_the_parent_ends() -> None:
        sys.stdin.read()
        account.close()
        # DuckDB's connections of other threads are not waited for.
        os._exit(0)

    threading.Thread(target=until_the_parent_ends, daemon=True).start()
    print(json.dumps({"port": account.port}), flush=True)  # noqa: T201
    asyncio.run(server.serve(sockets=[listening]))


if __name__ == "__main__":
    main()
