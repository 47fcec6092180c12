"""The erasure of a person that is under way: who is meant, why, and what was done so far.

It is kept from the first step to the last one, and each step counts in the transaction that makes it. So a process that
is killed is followed by one that knows whom it looks for, even when the person's own entity is gone by then.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

from interlayer.audit.receipts import sealed
from interlayer.memory.erasure.reasons import Reason
from interlayer.memory.erasure.subjects.answer import Erased
from interlayer.memory.erasure.subjects.names import SubjectNames
from interlayer.memory.erasure.subjects.subject import Request
from interlayer.memory.log import keys
from interlayer.memory.log.identifiers import fold_name
from interlayer.memory.log.records import EntityId
from interlayer.storage.items import Item, Put

_CASE: Final = 16  # characters of its id


@dataclass(frozen=True, slots=True)
class Tally:
    """How many of each kind, and an HMAC over all of them in the order in which they went."""

    counted: Mapping[str, Erased] = field(default_factory=dict[str, Erased])

    def plus(self, changes: Iterable[tuple[str, str]], key: bytes) -> "Tally":
        """Return the tally with more (kind, words)."""
        found = dict(self.counted)
        for kind, words in changes:
            before = found.get(kind) or Erased(count=0, hmac="")
            found[kind] = Erased(count=before.count + 1, hmac=sealed(key, f"{before.hmac}\n{words}"))
        return Tally(found)

    @property
    def body(self) -> dict[str, dict[str, str | int]]:
        """The tally as JSON."""
        return {kind: {"count": one.count, "hmac": one.hmac} for kind, one in self.counted.items()}

    @classmethod
    def read(cls, body: Mapping[str, Any]) -> "Tally":
        """Read a stored one."""
        return cls({kind: Erased(**one) for kind, one in body.items()})


@dataclass(frozen=True, slots=True)
class SubjectCase:
    """A case, and the version under which it is stored."""

    id: str
    version: int
    request: Request
    reason: Reason
    entities: tuple[EntityId, ...]
    names: SubjectNames
    erased: Tally = field(default_factory=Tally)
    redacted: Tally = field(default_factory=Tally)

    def put(self, organization: str) -> Put:
        """Build what stores it in the place of what was read."""
        request = self.request
        body: dict[str, Any] = {
            "person": request.person,
            "also": list(request.also),
            "names": list(request.names),
            "only_certain": request.only_certain,
            "excluded": list(request.excluded),
            "reason": self.reason.code,
            "reference": self.reason.reference,
            "entities": [keys.entity_body(one) for one in self.entities],
            "called": {"identifiers": [list(one) for one in self.names.identifiers], "names": list(self.names.names)},
            "erased": self.erased.body,
            "redacted": self.redacted.body,
        }
        return Put(keys.subject_case(organization, self.id), body, self.version)

    def stored(self) -> "SubjectCase":
        """Return the case as it is after it was put."""
        return replace(self, version=self.version + 1)


def case_id(key: bytes, person: str) -> str:
    """Name the case of a person: equal for equal words, and telling nobody who it is."""
    return f"d_{sealed(key, fold_name(person))[:_CASE]}"


def read_case(item: Item) -> SubjectCase:
    """Read a stored case."""
    body = item.body
    request = Request(
        body["person"], tuple(body["also"]), tuple(body["names"]), body["only_certain"], tuple(body["excluded"])
    )
    called = body["called"]
    names = SubjectNames(tuple((kind, value) for kind, value in called["identifiers"]), tuple(called["names"]))
    return SubjectCase(
        item.key.sort,
        item.version,
        request,
        Reason(body["reason"], body["reference"]),
        tuple(EntityId(**one) for one in body["entities"]),
        names,
        Tally.read(body["erased"]),
        Tally.read(body["redacted"]),
    )
