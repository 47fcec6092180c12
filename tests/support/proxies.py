"""A proxy between a client and the emulator that a test makes lie, hang or fail."""

import http.client
import threading
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Literal
from urllib.parse import urlsplit

Mode = Literal["pass", "lie", "hang", "fail"]
_CONDITIONS = {"if-none-match", "if-match"}
_OWN = {"content-length", "transfer-encoding", "connection", "date", "server"}


@dataclass
class Proxy:
    """`lie` drops the conditions of a write, as a store does that knows none; `hang` never answers; `fail` says 503."""

    url: str
    mode: Mode = "pass"
    released: threading.Event = field(default_factory=threading.Event)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Say nothing."""

    def _answer(self, status: int, headers: list[tuple[str, str]], content: bytes) -> None:
        self.send_response(status)
        for name, value in headers:
            if name.lower() not in _OWN:
                self.send_header(name, value)
        length = next((value for name, value in headers if name.lower() == "content-length"), "0")
        self.send_header("Content-Length", length if self.command == "HEAD" else str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def _pass_on(self) -> None:
        server = self.server
        assert isinstance(server, _Server)
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        mode = server.proxy.mode
        if mode == "hang":
            server.proxy.released.wait()
            self.close_connection = True
            return
        if mode == "fail":
            self._answer(503, [], b"<Error><Code>ServiceUnavailable</Code></Error>")
            return
        dropped = _CONDITIONS if mode == "lie" else set[str]()
        headers = {name: value for name, value in self.headers.items() if name.lower() not in dropped}
        connection = http.client.HTTPConnection(server.host, timeout=20)
        try:
            connection.request(self.command, self.path, body, headers)
            answer = connection.getresponse()
            self._answer(answer.status, answer.getheaders(), answer.read())
        finally:
            connection.close()

    do_GET = do_PUT = do_POST = do_DELETE = do_HEAD = _pass_on  # noqa: N815


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, host: str, proxy: Proxy) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.host = host
        self.proxy = proxy

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing of clients that went away."""


@contextmanager
def proxying(target: str, mode: Mode = "pass") -> Generator[Proxy]:
    """Run a proxy before the target."""
    proxy = Proxy("", mode)
    server = _Server(urlsplit(target).netloc, proxy)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    proxy.url = f"http://127.0.0.1:{server.server_port}"
    try:
        yield proxy
    finally:
        proxy.released.set()
        server.shutdown()
        thread.join()
        server.server_close()
