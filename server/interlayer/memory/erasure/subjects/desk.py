"""Everything that work on the data of persons takes, put together."""

from dataclasses import dataclass

from interlayer.audit.reads import ReadReceipts
from interlayer.audit.receipts import ReceiptBook
from interlayer.audit.trail import Trail
from interlayer.ids import Clock
from interlayer.memory.entities.repository import Entities
from interlayer.memory.erasure.forgetter import Safeguards
from interlayer.memory.erasure.planner import ErasurePlanner
from interlayer.memory.erasure.subjects.dossier import SubjectDossier
from interlayer.memory.erasure.subjects.eraser import SubjectEraser
from interlayer.memory.erasure.subjects.finder import SubjectFinder
from interlayer.memory.erasure.subjects.subject import Subjects
from interlayer.memory.projection.projector import Projector
from interlayer.memory.schema.schema import Schema
from interlayer.storage.items import ItemStore


@dataclass(frozen=True, slots=True)
class SubjectDesk:
    """Who is meant, where a person is held and named, a copy of that, and its erasure."""

    who: Subjects
    finder: SubjectFinder
    dossier: SubjectDossier
    eraser: SubjectEraser

    @classmethod
    def over(
        cls,
        store: ItemStore,
        entities: Entities,
        projector: Projector,
        planner: ErasurePlanner,
        trail: Trail,
        schema: Schema,
        clock: Clock,
        safeguards: Safeguards,
        book: ReceiptBook,
        reads: ReadReceipts,
    ) -> "SubjectDesk":
        """Put the parts together."""
        who = Subjects(entities, schema)
        finder = SubjectFinder(store, who, safeguards.holds, book, reads)
        dossier = SubjectDossier(store, who, finder, schema, clock)
        eraser = SubjectEraser(store, entities, projector, planner, trail, schema, clock, safeguards, book, who, finder)
        return cls(who, finder, dossier, eraser)
