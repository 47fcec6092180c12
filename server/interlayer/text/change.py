"""Whether a sentence announces a change: general English for "what was so before is no longer so"."""

import re
from typing import Final

# Verbs that put one state in the place of another, measures that move, and adverbs of before and after. A bare "now"
# is left out: people say it in every other sentence; "now owns" or "now at" tells of a state.
_CHANGE: Final = re.compile(
    r"(?i)\b(?:updat(?:e|es|ed)|supersed(?:e|es|ed|ing)|replac(?:es|ed|ing)|switch(?:es|ed)|migrated|relocated|"
    r"moved (?:to|from|away|off|over|into|up|down)|changed|shifted|renamed|reassigned|transferred|"
    r"no longer|not any ?more|instead of|formerly|previously|used to (?:be|have|use)|stepped down|took over|"
    r"increased|decreased|raised|reduced|lowered|extended|postponed|accelerated|expanded|escalated|downgraded|"
    r"upgraded|revised|corrected|amended|grew|grown|rose|fell|dropped|advanced|cancel(?:l?ed|s)|"
    r"now [a-z]+s|now (?:at|in|under|over|based|to))\b"
)


def announces_change(text: str) -> bool:
    """Return whether a text says that something is not as it was."""
    return bool(_CHANGE.search(text))
