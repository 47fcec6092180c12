"""`app.py PORT`: the real server over HTTP on a temporary home, and what the official conformance suite asks it for.

The suite calls tools, resources and prompts with names of its own. They are registered here and nowhere else, on the
server that `build_server` makes and with the transport that `http_app` makes, so that what is tested is what is served.
"""

import signal
import sys
import tempfile
from pathlib import Path

import anyio
import uvicorn
from contents import add_contents
from notices import add_notices
from rounds import add_rounds

from interlayer.app.mcp_server.door.application import http_app
from interlayer.app.mcp_server.process import Interlayer, running
from interlayer.app.mcp_server.transports import build_server
from interlayer.app.settings import load

HOST = "127.0.0.1"


async def serve(home: Path, port: int) -> None:
    """Serve until a signal."""
    interlayer = Interlayer(load({"HOME": str(home)}, {}))
    server = build_server(interlayer)
    add_contents(server)
    add_rounds(server)
    add_notices(server)
    config = uvicorn.Config(
        http_app(server, interlayer, HOST), host=HOST, port=port, log_level="warning", access_log=False
    )
    # uvicorn raises the signal that ended it once more, which would end the process before the home is removed.
    with anyio.open_signal_receiver(signal.SIGTERM, signal.SIGINT):
        async with running(interlayer):
            await uvicorn.Server(config).serve()


if __name__ == "__main__":
    with tempfile.TemporaryDirectory(prefix="interlayer-conformance-") as folder:
        anyio.run(serve, Path(folder), int(sys.argv[1]))
