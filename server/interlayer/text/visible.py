"""Text as a reader sees it: without characters that show nothing and may hide words from people, or words in words.

What a script cannot be written without stays: a joiner between letters of Persian, Hindi or their like or between the
parts of an emoji, one variation selector behind what it selects, and the tags of the flags of regions.
"""

import re
import unicodedata
from typing import Any, Final, cast

_TAGS: Final = "\U000e0020-\U000e007e"
_FLAG: Final = re.compile(f"\U0001f3f4[{_TAGS}]{{3,6}}\U000e007f")
_UNSEEN: Final = re.compile(
    "[\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164\ufe00-\ufe0f"
    "\ufeff\uffa0\ufff0-\ufffb\U000e0000-\U000e0fff\U0001bca0-\U0001bca3\U0001d173-\U0001d17a]+"
)
_JOINERS: Final = frozenset("\u200c\u200d")
_MONGOLIAN: Final = re.compile("[\u1820-\u18aa]")
_SELECTORS: Final = re.compile("[\ufe00-\ufe0f\U000e0100-\U000e01ef]")
_JOINED: Final = re.compile(
    "[\u0600-\u08ff\u0900-\u0dff\u0e80-\u0fff\u1000-\u109f\u1780-\u18af\ufb50-\ufdff\ufe70-\ufefc]"
)


def visible(text: str) -> str:
    """Return a text without what cannot be seen of it."""
    if text.isascii() or not _UNSEEN.search(text):
        return text
    flags = {match.end() - len(match[0]) + 1 for match in _FLAG.finditer(text)}

    def keep(match: re.Match[str]) -> str:
        if match.start() in flags:
            end = match[0].index("\U000e007f") + 1
            return match[0][:end]
        before = text[match.start() - 1] if match.start() else ""
        after = text[match.end()] if match.end() < len(text) else ""
        return _kept(before, match[0], after)

    return _UNSEEN.sub(keep, text)


def visible_in(value: Any) -> Any:
    """Return a value of JSON whose texts are as a reader sees them; the very value where they are so already."""
    if isinstance(value, str):
        return visible(value)
    if isinstance(value, dict):
        seen = {visible_in(key): visible_in(one) for key, one in cast("dict[Any, Any]", value).items()}
        return seen if seen != value else value
    if isinstance(value, list):
        items = [visible_in(one) for one in cast("list[Any]", value)]
        return items if items != value else value
    return value


def unseen(text: str) -> tuple[str, ...]:
    """Name the characters of a text that cannot be seen and are not needed, each once, as U+200B."""
    if text.isascii() or (shown := visible(text)) == text:
        return ()
    lost = [one for one in dict.fromkeys(text) if _UNSEEN.match(one) and text.count(one) > shown.count(one)]
    return tuple(f"U+{ord(one):04X}" for one in lost)


def _kept(before: str, run: str, after: str) -> str:
    """Return what stays of characters that are not seen between two that are."""
    kept = ""
    rest = run
    is_key = before in {*"0123456789#*"} and rest[0] == "\ufe0f"  # of a telephone, as emoji
    if is_key or (before and not before.isascii() and _SELECTORS.match(rest)):
        kept, rest = rest[0], rest[1:]
    elif before and _MONGOLIAN.match(before):
        return rest[0]
    if rest[:1] in _JOINERS and after and before and _needs_joiner(before, after):
        kept += rest[0]
    return kept


def _needs_joiner(before: str, after: str) -> bool:
    is_of_script = bool(_JOINED.match(before)) and (bool(_JOINED.match(after)) or not after.isalnum())
    is_emoji = unicodedata.category(before) in {"So", "Sk"} and unicodedata.category(after) == "So"
    return is_of_script or is_emoji
