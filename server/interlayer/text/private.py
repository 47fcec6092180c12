"""Shapes of what must not be kept or leave: personal identifiers, checked where they have a checksum, and secrets."""

import re
from collections.abc import Callable
from typing import Final

_CARD_DIGITS: Final = range(13, 20)
_PHONE_DIGITS: Final = range(8, 16)

_EMAIL: Final = re.compile(r"(?<![\w.+-])[\w.+-]{1,64}@(?:[a-z0-9-]{1,63}\.){1,8}[a-z]{2,24}(?![\w-])", re.IGNORECASE)
_PHONE: Final = re.compile(
    r"(?<![\w+])(?:\+\d[\d\s().-]{6,20}\d|\(\d{3}\)\s?\d{3}[\s.-]\d{4}|\d{3}[\s.-]\d{3}[\s.-]\d{4})(?![\w-])"
)
_CARD: Final = re.compile(
    r"(?<![\w.-])(?:\d{4}[ -]\d{4}[ -]\d{4}[ -]\d{1,7}|\d{4}[ -]\d{6}[ -]\d{5}|\d{13,19})(?![\w-])"
)
_SSN: Final = re.compile(r"(?<![\w-])(?!000|666|9)\d{3}-(?!00)\d{2}-(?!0000)\d{4}(?![\w-])")
_NINO: Final = re.compile(r"(?<!\w)[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z] ?\d{2} ?\d{2} ?\d{2} ?[A-D](?!\w)")
_IBAN: Final = re.compile(r"(?<!\w)[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,4})?(?!\w)")
_SECRET: Final = re.compile(
    r"(?<![A-Za-z0-9])(?:AKIA|ASIA)[0-9A-Z]{16}(?![A-Za-z0-9])"  # AWS access key
    r"|(?<![A-Za-z0-9])sk-[A-Za-z0-9_-]{16,200}"  # OpenAI, Anthropic, Stripe and others
    r"|(?<![A-Za-z0-9])(?:sk|rk)_live_[A-Za-z0-9]{16,200}"
    r"|(?<![A-Za-z0-9])(?:gh[opsur]_[A-Za-z0-9]{20,255}|github_pat_[A-Za-z0-9_]{20,255}|glpat-[\w-]{20,100})"
    r"|(?<![A-Za-z0-9])xox[abeprs]-[A-Za-z0-9-]{10,200}"  # Slack
    r"|(?<![A-Za-z0-9])AIza[0-9A-Za-z_-]{35}"  # Google
    r"|(?<![A-Za-z0-9])eyJ[\w-]{10,2000}\.eyJ[\w-]{10,4000}\.[\w-]{10,1000}"  # JSON web token
    r"|-----BEGIN [A-Z ]{0,30}PRIVATE KEY-----"
    r"|(?i:\b(?:password|passwd|passphrase|pwd|api[ _-]?key|access[ _-]?token|client[ _-]?secret)\b"
    r"\s{0,3}(?:[:=]|\bis[:\s])\s{0,3}[\"'`]?(?=\S{0,60}[\d!@#$%^&*_+=-])[^\s\"'`]{6,200})"
)
_MASK: Final = "▒"
_MASKED: Final = _MASK * 6


def secret_spans(text: str) -> list[tuple[int, int]]:
    """Return the spans of what looks like a key, a token or a password."""
    return [match.span() for match in _SECRET.finditer(text)]


def masked(text: str) -> str:
    """Return a text of the same length with keys, tokens, passwords and payment card numbers overwritten."""
    for start, end in [*secret_spans(text), *PERSONAL["card"](text)]:
        text = text[:start] + _MASK * (end - start) + text[end:]
    return text


def is_masked(text: str) -> bool:
    """Return whether something in a text was overwritten."""
    return _MASKED in text


def _all_of(*patterns: re.Pattern[str], valid: Callable[[str], bool] = bool) -> Callable[[str], list[tuple[int, int]]]:
    def find(text: str) -> list[tuple[int, int]]:
        return [match.span() for pattern in patterns for match in pattern.finditer(text) if valid(match[0])]

    return find


def _digits(text: str) -> list[int]:
    return [int(character) for character in text if character.isdecimal()]


def _is_phone(text: str) -> bool:
    return len(_digits(text)) in _PHONE_DIGITS


def _is_card(text: str) -> bool:
    """Luhn (ISO/IEC 7812-1); one digit repeated passes it and is no card."""
    digits = _digits(text)
    doubled = (sum(divmod(2 * digit, 10)) for digit in digits[-2::-2])
    return len(digits) in _CARD_DIGITS and len(set(digits)) > 1 and (sum(digits[-1::-2]) + sum(doubled)) % 10 == 0


def _is_iban(text: str) -> bool:
    """Mod 97 (ISO 13616)."""
    compact = text.replace(" ", "")
    return int("".join(str(int(c, 36)) for c in compact[4:] + compact[:4])) % 97 == 1


PERSONAL: Final[dict[str, Callable[[str], list[tuple[int, int]]]]] = {
    "email": _all_of(_EMAIL),
    "phone": _all_of(_PHONE, valid=_is_phone),
    "card": _all_of(_CARD, valid=_is_card),
    "national_id": _all_of(_SSN, _NINO),
    "iban": _all_of(_IBAN, valid=_is_iban),
}
"""Kind -> finder of its spans in a folded text."""
