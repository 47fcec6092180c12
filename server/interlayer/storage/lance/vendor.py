"""The import of LanceDB, which is half of what it takes when a client that nobody here calls is left out."""

import importlib
import importlib.util
import os
import sys
from threading import Lock
from typing import Any, Final

# LanceDB takes some names from this package, and its `__init__` builds every call of a remote service besides: 1.2 s.
_REMOTE_CLIENT: Final = "lance_namespace_urllib3_client"
_IMPORTING: Final = Lock()


def import_lancedb() -> None:
    """Import LanceDB (0.7 s) with what we use of it; safe from any thread."""
    os.environ.setdefault("LANCEDB_LOG", "error")  # read at import; without it, warnings flood stderr
    with _IMPORTING:
        _put_off(_REMOTE_CLIENT)
        for module in ("lancedb.expr", "lancedb.index"):
            importlib.import_module(module)


def _put_off(package: str) -> None:
    """Have the `__init__` of a package run when something is asked of it that none of its modules is."""
    spec = None if package in sys.modules else importlib.util.find_spec(package)
    if spec is None or spec.loader is None:
        return
    loader, module = spec.loader, importlib.util.module_from_spec(spec)

    def run(name: str) -> Any:
        del vars(module)["__getattr__"]
        loader.exec_module(module)
        return getattr(module, name)

    vars(module)["__getattr__"] = run
    sys.modules[package] = module
