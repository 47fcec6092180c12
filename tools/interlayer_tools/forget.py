"""forget: what an agent calls when something must not be remembered any more."""

from interlayer.memory.erasure.answer import ForgetAnswer
from interlayer.principal import Principal
from interlayer_tools.tool import Domains, Input, OptionalText, Tool

DESCRIPTION = """\
Erase for good one of entity, fact_id, memory_id. Only on request or duty, never to correct: memorize the new value. \
reason: a code."""


class ForgetInput(Input):
    """Arguments of forget."""

    entity: OptionalText = None
    fact_id: OptionalText = None
    memory_id: OptionalText = None
    reason: str
    reference: OptionalText = None


async def forget(domains: Domains, principal: Principal, given: ForgetInput) -> ForgetAnswer:
    """Erase. Raises `InterlayerError`."""
    return await domains.memory.forgetter.forget(
        principal,
        given.reason,
        reference=given.reference,
        entity=given.entity,
        fact_id=given.fact_id,
        memory_id=given.memory_id,
        counted=True,
    )


TOOL = Tool(
    name="forget",
    title="Forget",
    description=DESCRIPTION,
    input=ForgetInput,
    output=ForgetAnswer,
    run=forget,
    role="eraser",
    destructive=True,
    idempotent=True,
)
