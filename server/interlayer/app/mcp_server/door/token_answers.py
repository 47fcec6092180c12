"""What is answered to tokens that nobody can be recognized by: 401 with the reason and where to get one, or 503."""

import json
from typing import Final

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from interlayer.app.mcp_server.authentication import Unrecognized
from interlayer.app.mcp_server.door.challenges import Challenges, header_text
from interlayer.app.mcp_server.token_claims import TokenRefused

TOKEN_PATHS: Final = ("/mcp", "/readyz")
"""Where tokens count: where tools are called, and where operators are told more than probes are."""

_RETRY_S: Final = 5
_NOBODY: Final = "this server answers callers with a bearer token that is in force"


class TokenAnswers:
    """Answers for what is raised over a token, and completes the answers that the protocol SDK gives."""

    def __init__(self, app: ASGIApp, challenges: Challenges) -> None:
        self._app = app
        self._challenges = challenges

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request. Tokens are looked at before anything is answered, and count where they have to."""
        if scope["type"] == "http" and scope["path"] not in TOKEN_PATHS:
            scope["headers"] = [header for header in scope["headers"] if header[0].lower() != b"authorization"]

        async def complete(message: Message) -> None:
            if message["type"] == "http.response.start" and message["status"] == 401:
                told = self._challenges.unauthorized(_NOBODY).encode()
                kept = [header for header in message["headers"] if header[0].lower() != b"www-authenticate"]
                message = {**message, "headers": [*kept, (b"www-authenticate", told)]}
            await send(message)

        try:
            await self._app(scope, receive, complete)
        except TokenRefused as error:
            told = self._challenges.unauthorized(str(error)).encode()
            await _answer(send, 401, "invalid_token", header_text(str(error)), (b"www-authenticate", told))
        except Unrecognized as error:
            retry = (b"retry-after", str(_RETRY_S).encode())
            await _answer(send, 503, "temporarily_unavailable", str(error), retry)


async def _answer(send: Send, status: int, error: str, reason: str, header: tuple[bytes, bytes]) -> None:
    body = json.dumps({"error": error, "error_description": reason}).encode()
    length = (b"content-length", str(len(body)).encode())
    headers = [(b"content-type", b"application/json"), length, header]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
