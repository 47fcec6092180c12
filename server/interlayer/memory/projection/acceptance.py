"""Is a space that was built as good as it has to be? Looked at before an organization is moved to it.

Counts: every fact of the log has a row. Samples: texts that are embedded again lie where their row lies. Recall: facts
asked for in their own words are found, as often as in the space that is left. No query of an organization is ever
kept (receipts hold a keyed digest), so its facts are the queries.
"""

import random
from collections.abc import Sequence
from contextlib import aclosing
from dataclasses import dataclass
from typing import Final

import numpy as np

from interlayer.errors import Refused
from interlayer.memory.projection.backfill import Backfill
from interlayer.memory.projection.projector import Projector
from interlayer.memory.projection.spaces import ActiveSpace
from interlayer.storage.vectors import Row

SAMPLE: Final = 50
_FOUND_AMONG: Final = 10
_CLOSE: Final = 0.98  # a provider's own answers to one text differ by a thousandth or so
_WORSE_BY: Final = 0.1


@dataclass(frozen=True, slots=True)
class Verified:
    """What was seen: facts, rows that are missing, the least cosine of a sample, and recall in both spaces (0 to 1)."""

    facts: int
    missing: int
    closest: float
    recall: float
    recall_before: float


async def verify(
    filler: Backfill, projector: Projector, organization: str, space: ActiveSpace, before: ActiveSpace, seed: int = 0
) -> Verified:
    """Return how a space compares with the log and with the space before it. Raises `Refused` where it is no good."""
    sample, facts, missing = await _sample(filler, organization, space, random.Random(seed))  # noqa: S311 - a sample
    if missing:  # written while the log was read: what is not in the index since then is in the outbox
        await projector.drain(organization)
        missing -= await space.index.ids(organization)
    closest = await _least_cosine(organization, space, sample)
    recall = await _self_recall(organization, space, sample)
    recall_before = await _self_recall(organization, before, sample)
    if closest < _CLOSE:
        raise Refused(
            f"{space.id}: a text embedded again lies {closest:.3f} from its row. Does one name serve two models? "
            "Give the build up with `interlayer reembed --rollback` and begin anew."
        )
    if recall < recall_before - _WORSE_BY:
        raise Refused(
            f"{space.id}: finds {recall:.0%} of sampled facts in their own words, the space now {recall_before:.0%}. "
            "Choose another model, or give the build up with `interlayer reembed --rollback`."
        )
    return Verified(facts, len(missing), closest, recall, recall_before)


async def _sample(
    filler: Backfill, organization: str, space: ActiveSpace, chance: random.Random
) -> tuple[Sequence[Row], int, set[str]]:
    """Return some rows of the log, how many it has, and the ids of those that the space lacks."""
    present = await space.index.ids(organization)
    sample: list[Row] = []
    facts = 0
    missing: set[str] = set()
    async with aclosing(filler.stretches(organization)) as found:
        async for stretch in found:
            for row in stretch.rows:
                facts += 1
                if row.id not in present:
                    missing.add(row.id)
                elif len(sample) < SAMPLE:
                    sample.append(row)
                elif (place := chance.randrange(facts)) < SAMPLE:  # each row has the same chance (reservoir sampling)
                    sample[place] = row
    return sample, facts, missing


async def _least_cosine(organization: str, space: ActiveSpace, sample: Sequence[Row]) -> float:
    least = 1.0
    vectors = await space.embedder.embed([row.text for row in sample])
    for row, vector in zip(sample, vectors, strict=True):
        stored = (await space.index.vectors_of(organization, row.owner)).get(row.id)
        if stored is not None and vector.any():
            least = min(least, float(np.dot(stored, vector)))
    return round(least, 4)


async def _self_recall(organization: str, space: ActiveSpace, sample: Sequence[Row]) -> float:
    """Return the share of the sample that is among the nearest to its own words, or as near as they are."""
    if not sample:
        return 1.0
    found = 0
    queries = await space.embedder.embed([row.text for row in sample], query=True)
    for row, query in zip(sample, queries, strict=True):
        hits = await space.index.search(organization, query, "", limit=_FOUND_AMONG)
        found += any(row.id == hit.row.id or row.text == hit.row.text for hit in hits)
    return round(found / len(sample), 4)
