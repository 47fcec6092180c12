"""The verdict on two statements of one entity, by their words; cosine only proposes whom to compare."""

from enum import StrEnum
from typing import Final

from interlayer.language.comparison.statement import Statement
from interlayer.language.contradiction import Claim, contradict
from interlayer.language.distinction import find_distinction

_ALIKE: Final = 0.88


class Verdict(StrEnum):
    """How a newer statement stands to an older one."""

    SAME = "same"
    """It says nothing that the older one does not."""
    REPLACED = "replaced"
    """It surely takes the older one's place."""
    LIKELY = "likely"
    """It probably takes the older one's place: both stay, linked."""
    ALIKE = "alike"
    """It says much the same in other words: both stay, and are shown as one."""
    DISTINCT = "distinct"
    """It is about something else."""


def compare(newer: Statement, older: Statement, cosine: float, later_s: float, own: frozenset[str]) -> Verdict:
    """Judge how the newer statement stands to the older.

    `later_s` is by how many seconds it was observed later, `own` are the stems of the entity's names.
    """
    if cosine >= _ALIKE and find_distinction(newer.text, older.text) is None:
        return Verdict.SAME
    if contradict(Claim.of(newer.text), Claim.of(older.text), cosine, later_s, own):
        return Verdict.REPLACED
    return Verdict.DISTINCT
