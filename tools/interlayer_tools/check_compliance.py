"""check_compliance: what an agent calls with a draft before it sends it."""

from interlayer.principal import Principal
from interlayer_policies.delivery.answers import CheckAnswer
from interlayer_tools.context_facets import FacetsInput
from interlayer_tools.renderings.governance import check_text
from interlayer_tools.tool import Domains, Tool

DESCRIPTION = """\
Check a draft against the rules in scope before you send it: forbidden terms, missing notices, personal \
data, secrets. Rules in not_checked you must judge yourself."""


class CheckInput(FacetsInput):
    """Arguments of check_compliance."""

    text: str


async def check_compliance(domains: Domains, principal: Principal, given: CheckInput) -> CheckAnswer:
    """Check a draft. Raises `InterlayerError`."""
    return await domains.governance.check(principal, given.text, given.facets())


TOOL = Tool(
    name="check_compliance",
    title="Check a draft",
    description=DESCRIPTION,
    input=CheckInput,
    output=CheckAnswer,
    run=check_compliance,
    text=check_text,
    role="reader",
    read_only=True,
    idempotent=True,
)
