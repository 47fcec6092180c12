"""Each request to the tools is weighed before it is parsed: how many a caller makes, how large, and for which role.

What is turned away gets an error of the protocol with an HTTP status that says whose turn it is: 429 with `Retry-After`
when a caller asks for too much, 413 and 408 for a body that is too large or too slow, and 403 with the scopes to get
when a token's roles do not allow what is called.
"""

import json
import math
from collections import Counter
from typing import Any, Final

import anyio
from mcp.server.auth.middleware.bearer_auth import AuthenticatedUser
from mcp.server.transport_security import RequestBodyLimitMiddleware
from mcp.types import INVALID_REQUEST
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from interlayer.app.http_settings import HttpSettings
from interlayer.app.mcp_server.authentication import principal_in
from interlayer.app.mcp_server.door.challenges import Challenges
from interlayer.app.mcp_server.door.rates import Rate
from interlayer.app.mcp_server.door.refusals import Kind, Refusals
from interlayer.app.mcp_server.json_shape import describe_excess
from interlayer.principal import Principal
from interlayer_tools import TOOLS

PATH: Final = "/mcp"
BODY_MAX: Final = 4 << 20
BODY_S: Final = 30.0
"""How long a body may take to come."""

_CHARACTERS_PER_TOKEN: Final = 4
_TOO_MUCH: Final = -32_000
_ROLES: Final = {tool.name: tool.role for tool in TOOLS}
_READING: Final = ("resources/read", "resources/subscribe", "subscriptions/listen")


class Gate:
    """Lets requests to the tools through that their caller may make now; what is not for the tools passes."""

    def __init__(
        self,
        app: ASGIApp,
        settings: HttpSettings,
        refusals: Refusals,
        room: int,
        challenges: Challenges | None,
    ) -> None:
        self._app = app
        self._calls = Rate(settings.calls_per_minute)
        self._tokens = Rate(settings.tokens_per_minute)
        self._refusals = refusals
        self._at_once_max = max(2, room // 4)  # one caller leaves room for others
        self._at_once: Counter[str] = Counter()
        self._challenges = challenges
        self._weighed = RequestBodyLimitMiddleware(self._serve_whole, BODY_MAX)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request, or say why not."""
        if scope["type"] != "http" or scope["path"] != PATH:
            await self._app(scope, receive, send)
            return
        principal = _principal(scope)
        if self._challenges and principal is None:
            await self._app(scope, receive, send)  # which answers 401
            return
        if scope["method"] != "POST":
            # There is no session that a stream or an end could belong to, and a stream would outlive its token.
            await Response(status_code=405, headers={"Allow": "POST"})(scope, receive, send)
            return
        if principal is None:
            await self._weigh(scope, receive, send)
            return
        caller = _name(principal)
        wait = self._calls.take(caller)
        if wait:
            much = f"{self._calls.per_minute} calls a minute"
            await self._put_off("calls", caller, much, wait)(scope, receive, send)
        elif self._at_once[caller] >= self._at_once_max:
            much = f"{self._at_once_max} calls and streams at once"
            await self._put_off("at_once", caller, much, 1)(scope, receive, send)
        else:
            self._at_once[caller] += 1
            try:
                await self._weigh(scope, receive, send)
            finally:
                self._at_once[caller] -= 1
                if not self._at_once[caller]:
                    del self._at_once[caller]

    async def _weigh(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Read the body as far as there is time and room for it."""
        answering = False

        async def watched(message: Message) -> None:
            nonlocal answering
            answering = True
            await send(message)

        try:
            await self._weighed(scope, _within(BODY_S, receive), watched)
        except _TooSlow:
            self._refusals.note("body", f"a body of {_client(scope)} that took more than {BODY_S:.0f} s")
            if not answering:
                told = f"The body did not come within {BODY_S:.0f} s."
                headers = {"Connection": "close"}
                await _error(408, INVALID_REQUEST, told, None, headers)(scope, receive, send)

    async def _serve_whole(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request whose body has come, if it is fit to be parsed and allowed."""
        first = await receive()
        body: bytes = first.get("body", b"")
        refused = self._refuse(body, _principal(scope)) if first["type"] == "http.request" else None
        if refused:
            await refused(scope, receive, send)
            return
        given = [first]

        async def again() -> Message:
            return given.pop() if given else await receive()

        await self._app(scope, again, send)

    def _refuse(self, body: bytes, principal: Principal | None) -> Response | None:
        excess = describe_excess(body)
        if excess:
            self._refusals.note("shape", f"a body with {excess}")
            return _error(413, INVALID_REQUEST, f"The request has {excess}; send less at once.", None)
        if principal is None:
            return None
        caller = _name(principal)
        wait = self._tokens.take(caller, len(body) / _CHARACTERS_PER_TOKEN)
        if wait:
            return self._put_off("tokens", caller, f"{self._tokens.per_minute} tokens a minute", wait)
        return self._challenges and self._demand_role(body, principal, self._challenges)

    def _demand_role(self, body: bytes, principal: Principal, challenges: Challenges) -> Response | None:
        """Return what asks for further scopes, where the caller's roles are not enough and it can get them."""
        if not challenges.scopes:
            return None
        try:
            asked: Any = json.loads(body)
        except ValueError:
            return None
        what, role = _role_for(asked)
        if not role or role in principal.roles:
            return None
        has = ", ".join(sorted(principal.roles)) or "no role"
        told = f"{what} needs the role {role}; this token gives {has}."
        self._refusals.note("role", f"{_name(principal)}: {told}")
        header = {"WWW-Authenticate": challenges.insufficient(role, told)}
        return _error(403, INVALID_REQUEST, told, asked.get("id"), header)

    def _put_off(self, kind: Kind, caller: str, most: str, wait: float) -> Response:
        seconds = max(1, math.ceil(wait))
        self._refusals.note(kind, f"{caller} over {most}")
        told = f"Too much at once: a caller may have {most}. Try again in {seconds} s."
        return _error(429, _TOO_MUCH, told, None, {"Retry-After": str(seconds)}, {"retry_after_s": seconds})


class _TooSlow(Exception):
    pass


def _within(seconds: float, receive: Receive) -> Receive:
    """Return what receives a body, up to so many seconds from now; after the body there is no deadline."""
    deadline = anyio.current_time() + seconds
    whole = False

    async def receive_in_time() -> Message:
        nonlocal whole
        if whole:
            return await receive()
        with anyio.CancelScope(deadline=deadline):
            message = await receive()
            whole = message["type"] != "http.request" or not message.get("more_body", False)
            return message
        raise _TooSlow

    return receive_in_time


def _role_for(asked: Any) -> tuple[str, str]:
    """Return what a request calls and which role that needs; empty where none is needed."""
    if not isinstance(asked, dict):
        return "", ""
    method, given = asked.get("method"), asked.get("params")
    if method in _READING:
        return str(method), "reader"
    name = given.get("name") if method == "tools/call" and isinstance(given, dict) else None
    return (name, _ROLES.get(name, "")) if isinstance(name, str) else ("", "")


def _principal(scope: Scope) -> Principal | None:
    user = scope.get("user")
    return principal_in(user.access_token) if isinstance(user, AuthenticatedUser) else None


def _name(principal: Principal) -> str:
    return f"{principal.agent} for {principal.user}" if principal.user else principal.agent


def _client(scope: Scope) -> str:
    client = scope.get("client")
    return str(client[0]) if client else "nobody"


def _error(
    status: int,
    code: int,
    told: str,
    request_id: Any,
    headers: dict[str, str] | None = None,
    data: dict[str, int] | None = None,
) -> JSONResponse:
    error: dict[str, Any] = {"code": code, "message": told, **({"data": data} if data else {})}
    body = {"jsonrpc": "2.0", "id": request_id if isinstance(request_id, str | int) else None, "error": error}
    return JSONResponse(body, status, headers)
