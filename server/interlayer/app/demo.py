"""The main job on real input: two agents, each with a server process of its own, share one home.

Everything goes through the official MCP client over stdio, as it would from an agent host; the policy change comes
from the command line of a third process, as a steward would make it.
"""

import json
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from importlib import resources
from pathlib import Path
from typing import Any, Final

import anyio
import anyio.to_thread
from mcp import Client, StdioServerParameters
from rich.console import Console
from rich.markup import escape

from interlayer_policies.governance import starter_files

ANALYTICS: Final = "company:halden-analytics.example"
LOGISTICS: Final = "company:halden-logistics.example"
DOCUMENTS: Final = (
    (ANALYTICS, "call_with_halden_analytics.md", "Halden Analytics", "2026-02-03"),
    (ANALYTICS, "email_from_halden_analytics.md", "Halden Analytics", "2026-02-12"),
    (LOGISTICS, "note_on_halden_logistics.md", "Halden Logistics", "2026-02-05"),
    ("deal:D-2041", "deal_with_halden_analytics.md", "Halden Analytics, hospital reporting", "2026-02-12"),
)
TASK: Final = "Write an e-mail to Mira Okafor that offers an 18% discount if Halden Analytics signs this quarter."
DRAFT: Final = "Hello Mira, if you sign before 31 March I can offer you an 18% discount on the first year. Best, Jonas"
FACETS: Final = {"channel": "email", "audience": "prospect", "entity": "deal:D-2041"}


@dataclass(slots=True)
class Account:
    """What happened, step by step: shown as it goes, or printed as JSON at the end."""

    console: Console
    steps: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    failed: list[str] = field(default_factory=list[str])

    def heading(self, text: str) -> None:
        """Begin a part."""
        self.console.print(f"\n[bold cyan]{escape(text)}[/]")

    def step(self, name: str, seconds: float, line: str, **detail: object) -> None:
        """Record one step and its time."""
        self.steps.append({"step": name, "milliseconds": round(seconds * 1000, 1), **detail})
        self.console.print(f"  [green]{seconds * 1000:7.1f} ms[/]  {escape(line)}")

    def show(self, line: str) -> None:
        """Show a line of an answer."""
        self.console.print(f"              [dim]{escape(line)}[/]")

    def expect(self, name: str, *, holds: bool) -> None:
        """Record whether something that the product promises was so."""
        self.steps.append({"promise": name, "kept": holds})
        self.console.print(f"              {'[green]kept[/]  ' if holds else '[bold red]BROKEN[/]'}  {escape(name)}")
        if not holds:
            self.failed.append(name)


@dataclass(slots=True)
class Agent:
    """An agent: its name and its connection to a server process of its own."""

    name: str
    client: Client

    async def call(self, tool: str, arguments: Mapping[str, Any]) -> tuple[dict[str, Any], float]:
        """Return the structured answer of a tool and how long it took, in seconds."""
        start = time.perf_counter()
        result = await self.client.call_tool(tool, dict(arguments))
        seconds = time.perf_counter() - start
        if result.is_error:
            raise RuntimeError(f"{tool}: {getattr(result.content[0], 'text', 'failed')}")
        answer: dict[str, Any] = result.structured_content or {}
        return answer, seconds


async def run_demo(as_json: bool) -> int:
    """Run the demo and return the exit code: 0 when every promise was kept."""
    console = Console(stderr=as_json, quiet=as_json)
    account = Account(console)
    start = time.perf_counter()
    with tempfile.TemporaryDirectory(prefix="interlayer-demo-", ignore_cleanup_errors=True) as home:
        async with _agent("sales-agent", home, account) as sales, _agent("support-agent", home, account) as support:
            await _remember(sales, account)
            await _recall(support, account)
            await _govern(sales, support, Path(home), account)
    seconds = time.perf_counter() - start
    console.print(f"\n[bold]Done in {seconds:.1f} s.[/] Next: [bold]interlayer install claude-code[/]")
    if as_json:
        report = {"steps": account.steps, "seconds": round(seconds, 2), "broken": account.failed}
        sys.stdout.write(json.dumps(report, indent=2, ensure_ascii=False) + "\n")
    return 1 if account.failed else 0


@asynccontextmanager
async def _agent(name: str, home: str, account: Account) -> AsyncGenerator[Agent]:
    environment = {**os.environ, "INTERLAYER_HOME": home, "INTERLAYER_AGENT": name, "INTERLAYER_ORG": "demo"}
    server = StdioServerParameters(command=sys.executable, args=["-m", "interlayer", "serve"], env=environment)
    start = time.perf_counter()
    async with Client(server) as client:
        tools = await client.list_tools()
        seconds = time.perf_counter() - start
        line = f"{name} started a server and sees {len(tools.tools)} tools (MCP {client.protocol_version})"
        account.step("connect", seconds, line, agent=name, protocol=client.protocol_version)
        yield Agent(name, client)


async def _remember(sales: Agent, account: Account) -> None:
    account.heading("1. The sales agent remembers four documents about two companies with nearly the same name")
    for entity, document, name, observed_at in DOCUMENTS:
        content = resources.files("interlayer.app").joinpath("demo_documents", document).read_text(encoding="utf-8")
        arguments = {"entity": entity, "name": name, "content": content, "source": document, "observed_at": observed_at}
        answer, seconds = await sales.call("memorize", arguments)
        outcomes = [fact["outcome"] for fact in answer["facts"]]
        found = ", ".join(f"{one['name']} = {_short(one['value'])}" for one in answer["properties"])
        line = f"{document}: {outcomes.count('added')} facts, {outcomes.count('merged')} merged"
        account.step("memorize", seconds, line, entity=entity, facts=len(outcomes), merged=outcomes.count("merged"))
        if found:
            account.show(found)


async def _recall(support: Agent, account: Account) -> None:
    account.heading("2. The support agent, in another process, asks about both")
    questions = ((ANALYTICS, "how many people work there?"), (LOGISTICS, "how should we contact the buyer?"))
    texts: dict[str, str] = {}
    for entity, query in questions:
        answer, seconds = await support.call("recall_entity", {"entity": entity, "query": query})
        texts[entity] = json.dumps(answer, ensure_ascii=False)
        line = f"{answer['entity']['name']}: {len(answer['facts'])} facts, {len(answer['properties'])} properties"
        account.step("recall_entity", seconds, line, entity=entity, facts=len(answer["facts"]))
        for fact in answer["facts"][:3]:
            account.show(f"{fact['score']:.2f}  {fact['text']}  ({fact['source']})")
    account.expect("what one agent remembered, the other one knows", holds="Mira Okafor" in texts[ANALYTICS])
    foreign = [word for word in ("Petra", "Aarhus", "truck", "1,900", "transport") if word in texts[ANALYTICS]]
    foreign += [word for word in ("Mira", "Rotterdam", "hospital", "SOC 2", "healthcare") if word in texts[LOGISTICS]]
    account.expect("nothing of one company is in the answer about the other", holds=not foreign)
    answer, seconds = await support.call("search_memory", {"query": "refrigerated trucks", "limit": 1})
    found = answer["results"][0]
    line = f"who has refrigerated trucks? {found['entity']['name']}"
    account.step("search_memory", seconds, line, found=found["entity"]["name"])


async def _govern(sales: Agent, support: Agent, home: Path, account: Account) -> None:
    account.heading("3. The sales agent asks what it may do")
    account.show(f"task: {TASK}")
    before, seconds = await sales.call("get_governance_context", {"task": TASK, **FACETS})
    line = (
        f"{len(before['rules'])} rules in scope, {len(before['sections'])} sections of guidance, every rule delivered"
    )
    account.step("get_governance_context", seconds, line, rules=len(before["rules"]), revision=before["revision"])
    limit = _discount_rule(before)
    account.show(f"{limit['level'].replace('_', ' ')}: {limit['text']}")
    checked, seconds = await sales.call("check_compliance", {"text": DRAFT, **FACETS})
    account.step("check_compliance", seconds, f"draft: {DRAFT}", compliant=checked["compliant"])
    for violation in checked["violations"]:
        account.show(f"breaks {violation['policy_id']}#{violation['rule_id']}: {violation['excerpt']!r}")
    account.expect("the draft that breaks a rule is found out", holds=not checked["compliant"])

    account.heading("4. A steward raises the limit; no agent restarts")
    folder = home / "proposal"
    await anyio.to_thread.run_sync(_write_proposal, folder)
    start = time.perf_counter()
    printed = await anyio.to_thread.run_sync(_publish, home, folder)
    account.step("policy publish", time.perf_counter() - start, f"interlayer policy publish: {printed}")
    after, seconds = await support.call("get_governance_context", {"task": TASK, **FACETS, "if_etag": before["etag"]})
    limit_now = _discount_rule(after)
    line = f"revision {before['revision']} -> {after['revision']}, the other agent's next call"
    account.step("get_governance_context", seconds, line, revision=after["revision"])
    account.show(f"{limit_now['level'].replace('_', ' ')}: {limit_now['text']}")
    changed = limit_now["text"] != limit["text"] and "20%" in limit_now["text"]
    account.expect("the very next call of another process obeys the change", holds=changed)
    checked, seconds = await support.call("check_compliance", {"text": DRAFT, **FACETS})
    account.step("check_compliance", seconds, "the same draft", compliant=checked["compliant"])
    broken = [f"{one['policy_id']}#{one['rule_id']}" for one in checked["violations"]]
    account.expect("the same draft no longer breaks that rule", holds=f"discounts#{limit['rule_id']}" not in broken)


def _discount_rule(answer: Mapping[str, Any]) -> dict[str, Any]:
    return next(rule for rule in answer["rules"] if rule["policy_id"] == "discounts" and "%" in rule["text"])


def _write_proposal(folder: Path) -> None:
    """Lay out the starter policies with one number changed."""
    for file in starter_files():
        text = file.text
        if file.path.endswith("discounts.md"):
            text = re.sub(r"(max_discount: \{value: )\d+", r"\g<1>20", text)
        place = folder / file.path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(text, encoding="utf-8")


def _publish(home: Path, folder: Path) -> str:
    command = [sys.executable, "-m", "interlayer", "--home", str(home), "--org", "demo", "--agent", "steward"]
    command += ["policy", "publish", str(folder), "--reason", "Quarter-end campaign"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    if done.returncode:
        raise RuntimeError(done.stderr.strip())
    return done.stdout.strip()


def _short(value: object) -> str:
    if isinstance(value, dict):
        return " ".join(str(part) for part in value.values())
    return str(value)
