"""The five ways in which a newer statement may have to do with an older one, and none."""

from enum import StrEnum


class Verdict(StrEnum):
    """How a newer statement stands to an older one."""

    SAME = "same"
    """It says nothing that the older one does not."""
    REPLACED = "replaced"
    """It surely takes the older one's place."""
    PARTLY = "partly"
    """It surely takes the place of a part of what the older one says: both stay, linked."""
    LIKELY = "likely"
    """It probably takes the older one's place: both stay, linked."""
    ALIKE = "alike"
    """It says much the same in other words: both stay, and are shown as one."""
    DISTINCT = "distinct"
    """It is about something else."""
