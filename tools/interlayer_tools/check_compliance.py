"""check_compliance: what an agent calls with a draft before it sends it."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from interlayer.principal import Principal
from interlayer_tools.context_facets import FacetsInput
from interlayer_tools.tool import Domains, OptionalText, Output, Tool, stated

DESCRIPTION = """\
Check a draft against the rules in scope before you send it: forbidden terms, limits, missing notices, personal \
data, secrets. Rules in not_checked you must judge yourself."""


class CheckInput(FacetsInput):
    """Arguments of check_compliance."""

    text: str


class ViolationOutput(Output):
    """A broken rule and where: text[start:end]."""

    policy_id: str
    version: int
    rule_id: str
    level: str
    start: int
    end: int
    excerpt: str
    remedy: OptionalText = None


class CheckOutput(Output):
    """Answer of check_compliance."""

    compliant: bool
    violations: list[ViolationOutput]
    not_checked: list[str]
    more: int = 0
    assumed: list[str]
    degraded: list[str]
    revision: int
    receipt_id: str


async def check_compliance(domains: Domains, principal: Principal, given: CheckInput) -> Mapping[str, Any]:
    """Check a draft. Raises `InterlayerError`."""
    return stated(asdict(await domains.governance.check(principal, given.text, given.facets())))


TOOL = Tool(
    name="check_compliance",
    title="Check a draft",
    description=DESCRIPTION,
    input=CheckInput,
    output=CheckOutput,
    run=check_compliance,
    role="reader",
    read_only=True,
    idempotent=True,
)
