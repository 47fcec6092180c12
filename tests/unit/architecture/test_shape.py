"""The house keeps its shape: sizes, source roots, import weight, and documentation that knows every name."""

import ast
import re
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from interlayer.app.settings import SETTINGS
from interlayer.main import cli
from interlayer.memory.schema.schema import starter_schema
from interlayer_tools import TOOLS

ROOT = Path(__file__).parents[3]
SOURCES = [path for part in ("server", "tools", "policies") for path in (ROOT / part).rglob("*.py")]
HEAVY = ("numpy", "re2", "lancedb", "pyarrow", "wordllama", "boto3", "litellm", "nupunkt", "rich")


def test_modules_fit_in_one_head() -> None:
    assert len(SOURCES) > 50
    lines = {path.name: len(path.read_text(encoding="utf-8").splitlines()) for path in SOURCES}
    assert not [name for name, count in lines.items() if count > 400]
    assert sum(count > 300 for count in lines.values()) < len(lines) / 20  # a noun is not cut in two for a few lines


def test_rooms_are_small_enough_to_read_from_a_listing() -> None:
    held = Counter(path.parent for path in SOURCES if path.name != "__init__.py")
    crowded = {str(room): count for room, count in held.items() if count > (20 if room.name == "commands" else 15)}
    assert not crowded
    memory = [path for path in (ROOT / "server/interlayer/memory").iterdir() if not path.name.startswith("__")]
    assert len(memory) <= 14


def test_the_architecture_page_knows_every_room_and_no_other() -> None:
    page = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    packages = (ROOT / "server/interlayer", ROOT / "server/interlayer/memory", ROOT / "policies/interlayer_policies")
    rooms = [room.name for package in packages for room in package.iterdir() if (room / "__init__.py").exists()]
    assert not [room for room in rooms if not re.search(rf"`(interlayer\.)?{room}[`/]", page)]
    everything = {str(path.relative_to(ROOT)) for path in ROOT.glob("*/**/*.py") if "/." not in str(path)}
    for named in re.findall(r"`([\w/]+\.py)`", page):
        assert any(f"/{path}".endswith(f"/{named}") for path in everything), named


def test_every_package_says_what_it_is_for() -> None:
    silent = [
        path for path in SOURCES if path.name == "__init__.py" and not ast.get_docstring(ast.parse(path.read_text()))
    ]
    assert not silent


def test_functions_fit_on_one_screen() -> None:
    long = [
        f"{path.name}:{node.lineno} {node.name}"
        for path in SOURCES
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and (node.end_lineno or node.lineno) - node.lineno + 1 > 55
    ]
    assert not long


@pytest.mark.parametrize("part", ["server", "tools", "policies"])
def test_a_source_root_holds_exactly_one_package(part: str) -> None:
    held = [path.name for path in (ROOT / part).iterdir() if path.is_dir() and not path.name.startswith((".", "__"))]
    assert len(held) == 1


def test_only_the_settings_module_and_the_shell_read_the_environment() -> None:
    allowed = {
        "app/settings.py",
        "app/demo.py",
        "hosts/clients.py",
        "commands/shell.py",
        "lance/vendor.py",
        "models/vendor.py",
        "lance/index.py",
    }
    readers = {
        "/".join(path.parts[-2:])
        for path in SOURCES
        if re.search(r"os\.(environ|getenv)", path.read_text(encoding="utf-8"))
    }
    assert readers <= allowed


def test_a_server_starts_without_what_is_heavy() -> None:
    server = "interlayer.main, interlayer.app.mcp_server.process, interlayer.app.mcp_server.transports"
    code = f"import sys, {server}\nprint(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = {name.split(".")[0] for name in done.stdout.split()}
    assert not loaded & set(HEAVY)


def test_the_command_line_answers_without_the_protocol() -> None:
    code = "import sys, interlayer.main\nprint(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not {"mcp", "numpy", "pydantic"} & {name.split(".")[0] for name in done.stdout.split()}


def test_every_setting_is_documented() -> None:
    documented = (ROOT / "docs" / "operating.md").read_text(encoding="utf-8")
    for name, meaning in SETTINGS.items():
        assert f"| `INTERLAYER_{name}` | {meaning} |" in documented


def test_every_command_is_documented() -> None:
    documented = (ROOT / "docs" / "operating.md").read_text(encoding="utf-8")
    for name, command in cli.commands.items():
        nested: dict[str, object] = getattr(command, "commands", {})
        for full in [f"{name} {one}" for one in nested] or [name]:
            assert f"`interlayer {full}" in documented, full


def test_the_readme_lists_every_tool_in_order() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert re.findall(r"^\| `(\w+)` \|", readme, re.MULTILINE) == [tool.name for tool in TOOLS]


def glossary_classes() -> set[tuple[str, str]]:
    """Read (room, class) from the glossary: a heading `### `room`: ...`, entries `- `Class`, `Class`: ...`."""
    glossary = (ROOT / "docs" / "concepts.md").read_text(encoding="utf-8").split("## Classes by room")[1]
    room, named = "", set[tuple[str, str]]()
    unwrapped = re.sub(r"\n  (?=\S)", " ", glossary)
    for marker, heads in re.findall(r"^(###|-) (`[\w/]+`(?:, `\w+`)*):", unwrapped, re.MULTILINE):
        names = re.findall(r"`([\w/]+)`", heads)
        if marker == "###":
            room = names[0]
        else:
            named |= {(room, name) for name in names}
    return named


def public_classes() -> set[tuple[str, str]]:
    """Read (room, class) from the domains: the classes at the top of a module whose names begin with no underscore."""
    domains = [
        ROOT / one for one in ("server/interlayer/memory", "server/interlayer/audit", "policies/interlayer_policies")
    ]
    return {
        (path.parent.relative_to(domain.parent).as_posix(), node.name)
        for domain in domains
        for path in domain.rglob("*.py")
        for node in ast.parse(path.read_text(encoding="utf-8")).body
        if isinstance(node, ast.ClassDef) and not node.name.startswith("_")
    }


def test_the_glossary_names_each_public_class_of_a_domain_in_its_room() -> None:
    assert glossary_classes() == public_classes()


def test_every_gate_and_property_key_is_documented() -> None:
    concepts = (ROOT / "docs" / "concepts.md").read_text(encoding="utf-8")
    gates = (ROOT / "server/interlayer/memory/gates/gates.py").read_text(encoding="utf-8")
    for reason in re.findall(r"^\| `(\w+)` +\|", gates, re.MULTILINE):
        assert f"`{reason}`" in concepts
    schemas = (ROOT / "docs" / "writing-schemas.md").read_text(encoding="utf-8")
    declared = next(iter(next(iter(starter_schema().entities.values())).properties.values()))
    for key in type(declared).model_fields:
        assert f"`{key}`" in schemas


def test_no_file_names_a_registry() -> None:
    lock = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    assert "://" not in lock
    assert "--hash=sha256:" in lock
