"""The lines of an export of the audit trail: whole for whoever verifies it, or piece by piece with a cursor."""

import json
from collections.abc import AsyncGenerator, Mapping
from pathlib import Path
from typing import Any

from interlayer.answers import as_json
from interlayer.app.audit_export.ocsf import ocsf_record
from interlayer.audit.answer import StoredEvent
from interlayer.audit.reader import Audit
from interlayer.errors import InvalidInput
from interlayer.principal import Principal


async def exported(audit: Audit, principal: Principal, form: str, done: int) -> AsyncGenerator[tuple[str, int]]:
    """Yield each record as text, with the number of the event up to which everything is written by then."""
    if form == "trail":
        async for whole in audit.records(principal):
            yield _line(as_json(whole)), 0
        return
    async for record in audit.after(principal, done):
        is_event = isinstance(record, StoredEvent)
        told = {"event" if is_event else "receipt": record.body}
        text = _line(ocsf_record(record, principal.organization) if form == "ocsf" else told)
        done = record.body["number"] if is_event else done
        yield text, done


def cursor_of(organization: str, number: int) -> bytes:
    """Return a cursor: the event up to which everything was exported."""
    return _line({"organization": organization, "event": number}).encode()


def read_cursor(file: Path, organization: str) -> int:
    """Return the number of the event of a cursor, 0 where there is none yet. Raises `InvalidInput`."""
    if not file.exists():
        return 0
    try:
        told = json.loads(file.read_text(encoding="utf-8"))
        number, whose = int(told["event"]), told["organization"]
    except (KeyError, TypeError, ValueError) as error:
        remedy = "Name the file of an earlier export, or a new one."
        raise InvalidInput("cursor", f"{file} is no cursor.", remedy) from error
    if whose != organization:
        raise InvalidInput("cursor", f"{file} is of {whose}, not of {organization}.", "Keep one for each.")
    return number


def _line(record: Mapping[str, Any]) -> str:
    return json.dumps(record, ensure_ascii=False, separators=(",", ":"))
