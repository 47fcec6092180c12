"""Why something is erased: a code and a reference, because what the audit trail says can never be taken back."""

import re
from dataclasses import dataclass
from typing import Final

from interlayer.errors import InvalidInput
from interlayer.memory.log.identifiers import check_reason

OTHER: Final = "other"
CODES: Final = ("subject_request", "consent_withdrawn", "retention", "mistake", "duplicate", "contract_end", OTHER)
"""The reasons that there are, most frequent first."""

_REFERENCE: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/#-]{0,63}")


@dataclass(frozen=True, slots=True)
class Reason:
    """A code, and the number of a ticket or file where somebody may look up more. `reworded`: words were left out."""

    code: str
    reference: str = ""
    reworded: bool = False

    @property
    def record(self) -> dict[str, str]:
        """What the audit trail keeps of it."""
        return {"reason": self.code, **({"reference": self.reference} if self.reference else {})}


def read_reason(text: str, reference: str | None = None) -> Reason:
    """Return the code that a text is, in whatever case and punctuation; other words are not kept and count as `other`.

    Raises `InvalidInput` for a blank text, and for a reference that may be prose.
    """
    check_reason(text)
    given = (reference or "").strip()
    if given and not _REFERENCE.fullmatch(given):
        remedy = "Write the number of a ticket: letters, digits, . _ / # -, at most 64, no spaces."
        raise InvalidInput("reference", "is none: it stays in the audit trail for ever.", remedy)
    code = "_".join(re.findall(r"[a-z]+", text.casefold()))
    return Reason(code, given) if code in CODES else Reason(OTHER, given, reworded=True)
