"""get_governance_context: what an agent calls before it writes or does anything on the organization's behalf."""

from typing import Annotated

from pydantic import Field

from interlayer.memory.requests import TOKENS_MAX
from interlayer.principal import Principal
from interlayer_policies.delivery.answers import ContextAnswer
from interlayer_tools.context_facets import FacetsInput
from interlayer_tools.renderings.governance import context_text
from interlayer_tools.tool import Domains, OptionalText, Tool

DESCRIPTION = """\
Get the rules and guidance for a task, before you write to anyone outside or act for the organization. Rules bind \
you: if you cannot comply, stop and say which. sections are guidance. if_etag, have: only changes are sent."""


class ContextInput(FacetsInput):
    """Arguments of get_governance_context."""

    task: Annotated[str, Field(description="What you are about to do")]
    topics: Annotated[list[str], Field(description="short phrases on what it is about")] = []
    max_tokens: Annotated[int, Field(ge=1, le=TOKENS_MAX)] = 2000
    have: Annotated[list[str], Field(description="etags")] = []
    if_etag: OptionalText = None


async def get_governance_context(domains: Domains, principal: Principal, given: ContextInput) -> ContextAnswer:
    """Select rules and guidance. Raises `InterlayerError`."""
    return await domains.governance.context(
        principal,
        given.task,
        given.facets(),
        topics=given.topics,
        max_tokens=given.max_tokens,
        have=given.have,
        if_etag=given.if_etag,
    )


TOOL = Tool(
    name="get_governance_context",
    title="Get rules and guidance",
    description=DESCRIPTION,
    input=ContextInput,
    output=ContextAnswer,
    run=get_governance_context,
    text=context_text,
    role="reader",
    read_only=True,
    idempotent=True,
)
