"""Whether the server is up and ready: in full for operators, and by name for whoever else asks."""

from typing import Any, Final

from mcp.server.auth.middleware.auth_context import get_access_token
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from interlayer.app.mcp_server.authentication import principal_in
from interlayer.app.mcp_server.door.refusals import Refusals
from interlayer.app.mcp_server.process import Interlayer
from interlayer.app.mcp_server.signing_keys import SigningKeys

_GET: Final = ["GET"]


def health_routes(
    interlayer: Interlayer, keys: SigningKeys | None, refusals: Refusals, *, authenticated: bool
) -> list[Route]:
    """Return `/healthz` and `/readyz`; with authentication, paths and addresses are told to operators only."""

    async def healthz(_: Request) -> JSONResponse:
        return JSONResponse({"status": "up"})

    async def readyz(_: Request) -> JSONResponse:
        problems, degraded = await interlayer.check(), interlayer.degraded
        answer: dict[str, Any] = {"ready": not problems}
        if authenticated and not _is_operator():
            problems, degraded = _names(problems), _names(degraded)
        else:
            answer["turned_away"] = refusals.counts
        if keys and keys.trouble:  # without any keys nobody can call; with the last good ones all can
            (degraded if keys.are_there else problems).append(f"identity provider: {keys.trouble}")
        answer |= {"ready": not problems, "problems": problems, "degraded": degraded}
        return JSONResponse(answer, status_code=503 if problems else 200)

    return [Route("/healthz", healthz, methods=_GET), Route("/readyz", readyz, methods=_GET)]


def _is_operator() -> bool:
    token = get_access_token()
    principal = principal_in(token)
    return principal is not None and "operator" in principal.roles


def _names(told: list[str]) -> list[str]:
    return [one.partition(":")[0] for one in told]
