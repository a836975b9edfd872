"""The HTTP side: login, queries, goodbye; and for the tests databases and records."""

import argparse
import asyncio
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

import fakesnow.transforms
import uvicorn
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from standin.session import Account, Login, Session
from standin.statements import respond

log = logging.getLogger("standin")
Handler = Callable[[Request, dict[str, Any]], Awaitable[Any]]


class Refused(Exception):
    """The session token is missing, or nobody's."""


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
            "/telemetry/send": self.abort,
            "/standin/create": self.create,
            "/standin/drop": self.drop,
            "/standin/records": self.records,
        }
        return Starlette(
            routes=[Route(path, _json(handler), methods=["POST"]) for path, handler in routes.items()]
        )

    async def login(self, request: Request, body: dict[str, Any]) -> Any:
        given = body["data"]["SESSION_PARAMETERS"]
        database, schema = (request.query_params.get(key) for key in ("databaseName", "schemaName"))
        # A handler shares the session of its caller.
        caller = self.account.logins.get(given.get("STANDIN_CALLER", ""))
        session = (
            caller.session if caller else await run_in_threadpool(Session, self.account, database, schema)
        )
        token = secrets.token_urlsafe(32)
        origin = "procedure" if caller else "client"
        self.account.logins[token] = Login(
            session, origin, given.get("QUERY_TAG") or (caller and caller.query_tag)
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

    async def session(self, request: Request, _: dict[str, Any]) -> Any:
        login = self._login(request)
        if request.query_params.get("delete"):
            del self.account.logins[_token(request)]
            await run_in_threadpool(login.close)
        return {"data": None, "code": None, "message": None, "success": True}

    async def query(self, request: Request, body: dict[str, Any]) -> Any:
        return await run_in_threadpool(respond, self._login(request), body)

    async def abort(self, _: Request, __: dict[str, Any]) -> Any:
        return {"data": None, "success": True}

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
        except Refused:
            return JSONResponse(
                {"data": None, "code": "390104", "message": "Log in again.", "success": False}
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
