"""data_subject: what an agent of the privacy desk calls for a person who asks; only the role `privacy` sees it."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final, Literal, cast

from pydantic import Field

from interlayer.answers import as_json
from interlayer.errors import InvalidInput
from interlayer.memory.erasure.subjects.answer import Certificate, ErasurePreview, SubjectReport
from interlayer.principal import Principal
from interlayer.text.budget import json_tokens
from interlayer_tools.tool import Domains, Input, OptionalText, Tool

DESCRIPTION: Final = """\
Serve a person who asks what is held about her. find: where she is held and named. export: a copy, page by page \
(after). preview: what erase would do, and a token; show it to the person in charge. erase: with that token, a reason, \
a reference; no undo. certificate: of a case. hold, release: legal hold. person: type:key, an identifier or a name; \
also: entities that are the same person; names: further names."""

_MENTIONS_SHOWN: Final = 100
_TOKENS: Final = 6_000

Action = Literal["find", "export", "preview", "erase", "certificate", "hold", "release"]


class DataSubjectInput(Input):
    """Arguments of data_subject."""

    action: Action
    person: OptionalText = None
    also: list[str] = Field(default=[], max_length=20)
    names: list[str] = Field(default=[], max_length=20)
    only_certain: bool = False
    exclude: list[str] = Field(default=[], max_length=100)
    reason: OptionalText = None
    reference: OptionalText = None
    token: OptionalText = None
    case: OptionalText = None
    after: int = Field(default=0, ge=0)


@dataclass(frozen=True, slots=True, kw_only=True)
class DataSubjectAnswer:
    """The answer of data_subject: the part that the action asks for."""

    report: SubjectReport | None = None
    preview: ErasurePreview | None = None
    certificate: Certificate | None = None
    records: tuple[Mapping[str, Any], ...] | None = None
    next: int | None = None
    held: str | None = None
    released: str | None = None


async def data_subject(domains: Domains, principal: Principal, given: DataSubjectInput) -> DataSubjectAnswer:
    """Do what the action says. Raises `InterlayerError`."""
    desk = domains.memory.subjects
    if given.action == "certificate":
        return DataSubjectAnswer(certificate=await desk.eraser.certificate(principal, _needed(given, "case")))
    if given.action in ("hold", "release"):
        return await _change_hold(domains, principal, given)
    if given.action == "export":
        return await _export(domains, principal, given)
    if given.action == "erase":
        return await _erase(domains, principal, given)
    if given.action == "preview":
        preview = await desk.eraser.preview(principal, _request(given))
        return DataSubjectAnswer(preview=replace(preview, report=_shown(preview.report)))
    return DataSubjectAnswer(report=_shown(await desk.finder.report(principal, _request(given))))


async def _erase(domains: Domains, principal: Principal, given: DataSubjectInput) -> DataSubjectAnswer:
    from interlayer.memory.erasure.reasons import read_reason

    token, reason = _needed(given, "token"), read_reason(_needed(given, "reason"), given.reference)
    eraser = domains.memory.subjects.eraser
    return DataSubjectAnswer(certificate=await eraser.erase(principal, _request(given), reason, token=token))


async def _change_hold(domains: Domains, principal: Principal, given: DataSubjectInput) -> DataSubjectAnswer:
    from interlayer.memory.erasure.reasons import read_reason

    memory = domains.memory
    reason = read_reason(_needed(given, "reason"), given.reference)
    entity = await memory.subjects.who.entity(principal.organization, _needed(given, "person"))
    if given.action == "release":
        await memory.safeguards.holds.release(principal, entity, reason)
        return DataSubjectAnswer(released=entity.ref)
    return DataSubjectAnswer(held=(await memory.safeguards.holds.place(principal, entity, reason)).entity)


async def _export(domains: Domains, principal: Principal, given: DataSubjectInput) -> DataSubjectAnswer:
    """Return the records from a number on, as many as an answer holds, one at least."""
    found: list[Mapping[str, Any]] = []
    number, left = -1, _TOKENS
    async for one in domains.memory.subjects.dossier.records(principal, _request(given)):
        number += 1
        if number < given.after:
            continue
        record = {"record": one.record, **as_json(one.body)}
        left -= json_tokens(record)
        if left < 0 and found:
            return DataSubjectAnswer(records=tuple(found), next=number)
        found.append(record)
    return DataSubjectAnswer(records=tuple(found))


def _request(given: DataSubjectInput) -> Any:
    from interlayer.memory.erasure.subjects.subject import Request

    asked = _needed(given, "person")
    return Request(asked, tuple(given.also), tuple(given.names), given.only_certain, tuple(given.exclude))


def _shown(report: SubjectReport) -> SubjectReport:
    if len(report.mentions) <= _MENTIONS_SHOWN:
        return report
    return replace(report, mentions=report.mentions[:_MENTIONS_SHOWN], incomplete=True)


def _needed(given: DataSubjectInput, field: str) -> str:
    value = cast("str | None", getattr(given, field))
    if not value:
        remedy = "Show a preview to the person in charge, and send its token." if field == "token" else ""
        raise InvalidInput(field, f"is missing for {given.action}.", remedy)
    return value


TOOL: Final = Tool(
    name="data_subject",
    title="Data subject",
    description=DESCRIPTION,
    input=DataSubjectInput,
    output=DataSubjectAnswer,
    run=data_subject,
    role="privacy",
    destructive=True,
)
