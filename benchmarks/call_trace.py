"""Count how far one call travels through the code: modules, functions, and switches between modules.

`python benchmarks call_trace [--json] [--list]`: memorizes one given fact of a known entity on warm embedded stores
and follows it with Python's profiler. A switch is a call from a function of one module of this project to a function
of another; what vendors and the standard library do is left out. `--list` names the modules, most calls first.
"""

import argparse
import json
import os
import sys
import tempfile
from collections import Counter
from dataclasses import dataclass, field
from types import CodeType, FrameType
from typing import Any, Final

import anyio

from interlayer.app.composition import build
from interlayer.app.settings import load
from interlayer.memory.requests import FactCandidate, MemorizeRequest

OURS: Final = ("interlayer.", "interlayer_tools.", "interlayer_policies.")


@dataclass
class Trace:
    """What was called, in the thread that is followed."""

    modules: Counter[str] = field(default_factory=Counter[str])
    functions: set[CodeType] = field(default_factory=set[CodeType])
    resumed: set[int] = field(default_factory=set[int])
    switches: int = 0

    def follow(self, frame: FrameType, event: str, _: Any) -> None:
        """Count a call; going on with a coroutine that waited is none."""
        module = str(frame.f_globals.get("__name__", ""))
        if event != "call" or not module.startswith(OURS) or id(frame) in self.resumed:
            return
        self.resumed.add(id(frame))
        frames.append(frame)  # as long as it is held, no other frame gets its id
        self.modules[module] += 1
        self.functions.add(frame.f_code)
        caller = _caller(frame)
        if caller != module:
            self.switches += 1


frames: list[FrameType] = []


def _caller(frame: FrameType) -> str:
    """Return the module of ours that a frame was called from, whoever stands between them."""
    above = frame.f_back
    while above is not None:
        module = str(above.f_globals.get("__name__", ""))
        if module.startswith(OURS):
            return module
        above = above.f_back
    return ""


async def traced() -> Trace:
    """Return the trace of one memorize, after others have warmed what is kept in memory."""
    with tempfile.TemporaryDirectory() as home:
        parts = build(load({"HOME": home}, {"INTERLAYER_CONFIG": os.devnull}))
        await parts.prepare()
        trace = Trace()
        for number, text in enumerate(("Prefers phone calls.", "Asked about the pump order.", "Renewed in March.")):
            request = MemorizeRequest(entity="company:acme.example", facts=[FactCandidate(text, 0.9)])
            if number == 2:
                sys.setprofile(trace.follow)
            await parts.memory.memorizer.memorize(parts.settings.principal, request)
        sys.setprofile(None)
        await parts.close()
        return trace


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true", help="figures as one JSON object")
    parser.add_argument("--list", action="store_true", help="the modules, most calls first")
    options = parser.parse_args()
    trace = anyio.run(traced)
    figures = {"modules": len(trace.modules), "functions": len(trace.functions), "switches": trace.switches}
    if options.json:
        print(json.dumps(figures))
    else:
        print("\n".join(f"{name:>10} {figure}" for name, figure in figures.items()))
    if options.list:
        print("\n".join(f"{calls:>10} {name}" for name, calls in trace.modules.most_common()))


if __name__ == "__main__":
    main()
