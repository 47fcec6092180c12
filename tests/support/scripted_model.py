"""A server that speaks OpenAI's chat completions over real HTTP, and answers as a test says."""

import json
import threading
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Asked = Mapping[str, Any]
"""The body of a request: model, messages, response_format."""


@dataclass
class Reply:
    """What the server answers. `text` is the model's; with `hangs` it never comes."""

    text: str | None = ""
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    refusal: str | None = None
    finish: str = "stop"
    hangs: bool = False
    raw: bytes | None = None
    tokens: tuple[int, int] = (100, 50)
    more: Mapping[str, Any] = field(default_factory=dict[str, Any])
    """What the message holds beside, or instead of, its text."""

    def body(self, asked: Asked) -> bytes:
        """Return the HTTP body."""
        if self.raw is not None:
            return self.raw
        if self.status != 200:
            error = {"message": self.text or "scripted failure", "type": "scripted", "code": None, "param": None}
            return json.dumps({"error": error}).encode()
        message = {"role": "assistant", "content": self.text, "refusal": self.refusal, **self.more}
        used = {"prompt_tokens": self.tokens[0], "completion_tokens": self.tokens[1], "total_tokens": sum(self.tokens)}
        choice = {"index": 0, "message": message, "finish_reason": self.finish}
        answer = {"id": "x", "object": "chat.completion", "created": 0, "model": asked["model"], "choices": [choice]}
        return json.dumps({**answer, "usage": used}).encode()


@dataclass
class ScriptedModel:
    """A running server. `answer` is asked for each request; `asked` are the bodies of all of them."""

    url: str
    answer: Callable[[Asked], Reply]
    asked: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    keys: list[str] = field(default_factory=list[str])
    released: threading.Event = field(default_factory=threading.Event)

    def says(self, *replies: Reply | Mapping[str, Any] | str) -> None:
        """Answer with these in turn, the last of them ever after; a mapping is the text of its JSON."""
        made = [
            one if isinstance(one, Reply) else Reply(one if isinstance(one, str) else json.dumps(one))
            for one in replies
        ]
        self.asked.clear()
        self.answer = lambda _: made[min(len(self.asked), len(made)) - 1]


@contextmanager
def scripted_model() -> Generator[ScriptedModel]:
    """Run a server on a free port of this machine, in threads of its own."""
    model = ScriptedModel("", lambda _: Reply(status=500))

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            model.asked.append(asked)
            model.keys.append(self.headers.get("Authorization", ""))
            reply = model.answer(asked)
            if reply.hangs:
                model.released.wait(30)
                return
            body = reply.body(asked)
            self.send_response(reply.status)
            for name, value in {"Content-Type": "application/json", **reply.headers}.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    model.url = f"http://127.0.0.1:{server.server_address[1]}/v1"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield model
    finally:
        model.released.set()
        server.shutdown()
        server.server_close()
