"""Events and receipts in the form that security tools read: OCSF 1.4.0, class API Activity (6003).

What the class has no field for stands unchanged under `unmapped`, so that nothing of a record is lost.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from interlayer import __version__
from interlayer.audit.answer import StoredEvent, StoredReceipt
from interlayer.audit.queries import shown_of_body

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
    seen = shown_of_body(body)
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
