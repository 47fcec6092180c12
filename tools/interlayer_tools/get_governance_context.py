"""get_governance_context: what an agent calls before it writes or does anything on the organization's behalf."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Annotated, Any, Literal

from pydantic import Field

from interlayer.memory.requests import TOKENS_MAX
from interlayer.principal import Principal
from interlayer_tools.context_facets import FacetsInput
from interlayer_tools.tool import Domains, OptionalText, Output, Tool, stated

DESCRIPTION = """\
Get the rules and guidance for a task. Call it before you write to anyone outside or act for the organization. Rules \
bind you: if you cannot comply, stop and say which. sections are guidance. if_etag and have: only changes are sent."""


class ContextInput(FacetsInput):
    """Arguments of get_governance_context."""

    task: Annotated[str, Field(description="What you are about to do")]
    max_tokens: Annotated[int, Field(ge=1, le=TOKENS_MAX)] = 2000
    have: Annotated[list[str], Field(description="etags")] = []
    if_etag: OptionalText = None


class RuleOutput(Output):
    """A rule in scope."""

    policy_id: str
    version: int
    rule_id: str
    level: Literal["must_not", "must", "should_not", "should", "may"]
    text: str
    why: str
    etag: str


class SectionOutput(Output):
    """Guidance chosen for the task."""

    policy_id: str
    version: int
    section_id: str
    title: str
    text: str
    why: str
    score: float
    etag: str


class BudgetOutput(Output):
    """Tokens."""

    max: int
    used: int
    rules: int
    exceeded_by: int


class ContextOutput(Output):
    """Answer of get_governance_context."""

    etag: str
    revision: int
    unchanged: bool
    rules: list[RuleOutput]
    sections: list[SectionOutput]
    held: list[str]
    omitted: list[dict[str, Any]]
    overridden: list[dict[str, Any]]
    conflicts: list[dict[str, Any]]
    assumed: list[str]
    budget: BudgetOutput
    valid_until: OptionalText = None
    degraded: list[str]
    receipt_id: str


async def get_governance_context(domains: Domains, principal: Principal, given: ContextInput) -> Mapping[str, Any]:
    """Select rules and guidance. Raises `InterlayerError`."""
    answer = await domains.governance.context(
        principal, given.task, given.facets(), max_tokens=given.max_tokens, have=given.have, if_etag=given.if_etag
    )
    return stated(asdict(answer))


TOOL = Tool(
    name="get_governance_context",
    title="Get rules and guidance",
    description=DESCRIPTION,
    input=ContextInput,
    output=ContextOutput,
    run=get_governance_context,
    role="reader",
    read_only=True,
    idempotent=True,
)
