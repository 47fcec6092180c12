"""How a client starts the servers that are compared over stdio: ours, and the floor."""

import sys
from pathlib import Path

from mcp import StdioServerParameters

from measuring import environment


def serving(home: Path) -> StdioServerParameters:
    """Describe how to start our server on a home."""
    return StdioServerParameters(
        command=sys.executable, args=["-m", "interlayer", "serve"], env=environment(home), cwd=home.parent
    )


def floor(answers: Path) -> StdioServerParameters:
    """Describe how to start the server that is nothing but protocol."""
    program = str(Path(__file__).with_name("floor_server.py"))
    return StdioServerParameters(command=sys.executable, args=[program, str(answers)], env=environment(answers.parent))
