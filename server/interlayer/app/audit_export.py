"""The audit trail as lines: whole for whoever verifies it, or piece by piece for security tools, also as OCSF.

A record of OCSF is of version 1.4.0, class API Activity (6003). What the class has no field for stands unchanged under
`unmapped`, so that nothing of a record is lost.
"""

import json
from collections.abc import AsyncGenerator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from interlayer import __version__
from interlayer.answers import as_json
from interlayer.audit.answer import StoredEvent, StoredReceipt
from interlayer.audit.reader import Audit
from interlayer.errors import InvalidInput
from interlayer.principal import Principal

OCSF_VERSION: Final = "1.4.0"

_CATEGORY: Final = 6  # Application Activity
_CLASS: Final = 6003  # API Activity
_CREATE, _READ, _UPDATE, _DELETE, _OTHER = 1, 2, 3, 4, 99
_ACTIVITIES: Final = {_CREATE: "Create", _READ: "Read", _UPDATE: "Update", _DELETE: "Delete", _OTHER: "Other"}
_INFORMATIONAL: Final = 1
_SUCCESS: Final = 1

_OF_RECEIPTS: Final = {"memorize": _CREATE, "check": _OTHER}
_OF_EVENTS: Final = {"erased": _DELETE, "expired": _DELETE, "created": _CREATE, "proposed": _CREATE, "revoked": _DELETE}
"""By the last word of an event's type; every other one is an update."""


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


def ocsf_record(record: StoredEvent | StoredReceipt, organization: str) -> Mapping[str, Any]:
    """Return a record as an event of the class, one JSON object."""
    return (
        _of_event(record.body, organization) if isinstance(record, StoredEvent) else _of_receipt(record, organization)
    )


def _of_event(body: Mapping[str, Any], organization: str) -> Mapping[str, Any]:
    kind = str(body.get("type"))
    activity = _OF_EVENTS.get(kind.rpartition(".")[2].rpartition("_")[2], _UPDATE)
    uid = f"{organization}/{body.get('number')}"
    resources = [{"uid": str(body.get("subject")), "type": kind.partition(".")[0]}]
    return _activity(body, organization, kind, (activity, uid), str(body.get("actor")), resources)


def _of_receipt(receipt: StoredReceipt, organization: str) -> Mapping[str, Any]:
    body = receipt.body
    kind = str(body.get("kind"))
    seen = [one for one in body.get("entities") or () if isinstance(one, dict)]
    refs = [str(one.get("entity")) for one in seen] or ([str(body["entity"])] if body.get("entity") else [])
    resources = [{"uid": ref, "type": ref.partition(":")[0]} for ref in refs]
    for resource, one in zip(resources, seen, strict=False):
        if one.get("revision") is not None:
            resource["version"] = str(one["revision"])
    return _activity(
        body, organization, kind, (_OF_RECEIPTS.get(kind, _READ), receipt.id), str(body.get("agent")), resources
    )


def _activity(
    body: Mapping[str, Any],
    organization: str,
    operation: str,
    what: tuple[int, str],
    agent: str,
    resources: list[dict[str, str]],
) -> Mapping[str, Any]:
    activity, uid = what
    actor: dict[str, Any] = {"app_name": agent}
    if body.get("user"):
        actor["user"] = {"name": str(body["user"])}
    record: dict[str, Any] = {
        "category_uid": _CATEGORY,
        "category_name": "Application Activity",
        "class_uid": _CLASS,
        "class_name": "API Activity",
        "activity_id": activity,
        "activity_name": _ACTIVITIES[activity],
        "type_uid": _CLASS * 100 + activity,
        "type_name": f"API Activity: {_ACTIVITIES[activity]}",
        "time": _milliseconds(str(body.get("at"))),
        "severity_id": _INFORMATIONAL,
        "severity": "Informational",
        "status_id": _SUCCESS,
        "status": "Success",
        "metadata": {
            "version": OCSF_VERSION,
            "uid": uid,
            "tenant_uid": organization,
            "log_name": "interlayer audit",
            "original_time": str(body.get("at")),
            "product": {"name": "Interlayer", "vendor_name": "Interlayer", "version": __version__},
        },
        "actor": actor,
        "api": {"operation": operation, "service": {"name": "interlayer"}},
        "src_endpoint": {"name": agent},
        "unmapped": dict(body),
    }
    return {**record, "resources": resources} if resources else record


def _milliseconds(at: str) -> int:
    """Return milliseconds since 1970; 0 for what somebody has made unreadable."""
    try:
        return int(datetime.fromisoformat(at).timestamp() * 1_000)
    except ValueError:
        return 0
