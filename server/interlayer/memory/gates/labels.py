"""A call as its gates see it: without what cannot be seen, and with no order or secret in what is kept unjudged."""

from dataclasses import replace

from interlayer.errors import InvalidInput
from interlayer.language.prompt_injection.orders import is_instruction
from interlayer.memory.requests import MemorizeRequest
from interlayer.text.private import untellable
from interlayer.text.visible import visible, visible_in


def as_seen(request: MemorizeRequest) -> MemorizeRequest:
    """Return a call without the characters of its texts that cannot be seen."""
    facts = [
        replace(
            fact,
            text=visible(fact.text),
            replaces=visible(fact.replaces) if fact.replaces else None,
            about=visible_in(fact.about),
        )
        for fact in request.facts
    ]
    properties = [replace(one, value=visible_in(one.value), about=visible_in(one.about)) for one in request.properties]
    return replace(
        request,
        entity=visible_in(request.entity),
        content=visible_in(request.content),
        facts=facts,
        properties=properties,
        relations=[
            replace(one, target=visible(one.target), source=visible_in(one.source)) for one in request.relations
        ],
        identifiers={kind: visible(value) for kind, value in request.identifiers.items()},
        name=visible_in(request.name),
        source=visible_in(request.source),
    )


def check_labels(request: MemorizeRequest) -> None:
    """Raise `InvalidInput` for an order to a model, or a secret, in what no gate judges and every reader is shown."""
    labels = {
        "entity": request.entity,
        "name": request.name,
        "source": request.source,
        "idempotency_key": request.idempotency_key,
        **{f"identifiers.{kind[:40]}": value for kind, value in request.identifiers.items()},
    }
    others = [
        *(("relations.target", one.target) for one in request.relations),
        *(("relations.source", one.source) for one in request.relations),
        *(("facts.about", one.about) for one in request.facts),
        *(("properties.about", one.about) for one in request.properties),
    ]
    keys = [(field_name, (text or "").partition(":")[2]) for field_name, text in others]
    for field_name, text in [*labels.items(), *keys]:
        bare = (text or "").partition(":")[2] if field_name == "entity" else text
        # Halves of characters are refused when the label is read.
        if bare and is_instruction(bare.encode(errors="replace").decode()):
            problem = "it addresses a model. Nothing was stored."
            raise InvalidInput(field_name, problem, "Write only what it is called, or where it comes from.")
        if bare and field_name != "source" and _holds_secret(bare):  # in a source it is blotted out
            problem = "it holds a password or a key. Nothing was stored."
            raise InvalidInput(field_name, problem, "Write only what it is called.")


def _holds_secret(label: str) -> bool:
    """Whether a label holds what must never be kept; figures alone may be anybody's number."""
    return any(not label[start:end].isdigit() for start, end in untellable(label))
