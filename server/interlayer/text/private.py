"""Shapes of what must not be told: personal identifiers, with their checksums where they have one, and secrets.

Everything here looks at a plain text and answers with places in it, `(start, end)` in characters.
"""

import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator
from typing import Final

from interlayer.text.identity_numbers import Place, ibans, national_ids

MASK: Final = "▒"
"""What stands in the place of each character that was taken out."""

_PHONE_DIGITS: Final = range(8, 16)

_EMAIL: Final = re.compile(
    r"(?<![\w.+-])[\w.+-]{1,64}@(?:[^\W_](?:[^\W_]|-){0,62}\.){1,8}[^\W\d_]{2,24}(?![\w-])", re.IGNORECASE
)
# With a country's code, in the groups of North America, with the leading 0 of other countries, or called a phone.
_PHONE: Final = re.compile(
    r"(?<![\w+])(?:\+|00(?=[1-9]\d))\d[\d ().\-/]{6,20}\d(?![\w-])"
    r"|(?<![\w+.-])(?:1[ .-])?(?:\(\d{3}\) ?|\d{3}[ .-])\d{3}[ .-]\d{4}(?![\w-])"
    r"|(?<![\w+.,/-])(?!\d{1,2}([./-])\d{1,2}\1(?:\d{4}|\d{2}(?![./-]?\d)))"
    r"(?:\(0\d{1,5}\)|0(?!0)\d{1,5})[ ./-]{1,3}\d{2,8}(?:[ .-]\d{2,8}){0,4}(?![\w:-])"
)
_PHONE_CALLED: Final = re.compile(
    r"(?i:(?<![^\W_])(?:tel(?:ephone|efon|efono)?|phone|mobile|cell|fax|whatsapp|handy|movil)(?: (?:number|no|nr|is))*"
    r"|(?<![^\W_])(?:call|text|ring|dial|reach)(?: (?:me|us|him|her|them))?(?: (?:at|on))?)"
    r"[.:]{0,2} {0,2}(?P<it>\(?\d[\d ().\-/]{5,18}\d)(?![\w-])"
)
_DATE: Final = re.compile(r"\d{4}[./-]\d{1,2}[./-]\d{1,2}(?!\d)|\d{1,2}[./-]\d{1,2}[./-]\d{4}(?!\d)")
_ROUND_NUMBERS: Final = re.compile(r"[1-9]\d*0(?: [1-9]\d*0)+")
_CARD: Final = re.compile(
    r"(?<![\w.+-])(?:\d{4}(?:[ .\-/]{1,3}\d{4}){3}(?:[ .\-/]{1,3}\d{1,3})?|\d{4}[ .\-/]{1,3}\d{6}[ .\-/]{1,3}\d{4,5}"
    r"|\d{13,19})(?![\w-])"
)
# The ranges that are given out: Visa, Mastercard, Maestro and others of 5 and 6, Amex, Diners, JCB.
_ISSUED: Final = re.compile(
    r"4\d{12}(?:\d{3}){0,2}|5\d{15}|2(?:2[2-9]|[3-6]\d|7[0-2])\d{13}|3[47]\d{13}|3(?:0[0-5]|[689]\d)\d{11}|35\d{14}"
    r"|(?:5[06-9]|6\d)\d{11,17}"
)

# What people call a secret. In "the password for the portal is Winter26!" the words between are skipped.
_CALLED: Final = (
    r"(?<![A-Za-z0-9])(?:password|passwd|passphrase|passcode|pwd|passwort|kennwort|mot de passe|contrase[ñn]a|senha"
    r"|wachtwoord|zugangscode|access code|c[óo]digo de acceso|code d['’]acc[èe]s|parola d['’]ordine|l[öo]senord"
    r"|passord|пароль|密码|密碼|パスワード|비밀번호"
    r"|(?:api|access|secret|private|account|encryption)"
    r"[ _-]?(?:access[ _-]?)?key|(?:api|access|auth|bearer|refresh|session)[ _-]?token|client[ _-]?secret)"
    r"(?![A-Za-z0-9])[\"'`]?(?:\s(?:for|of|to|on)\s[^.:=\n]{1,40}?)?"
)
# After a sign the value may look like anything but plain words; after "is" a hyphen alone ("case-sensitive") is a word.
_IS: Final = r"(?:is|are|ist|lautet|lauten|sind|est|sont|es|son|è|é|são|luidt|zijn|是|は)"
_AFTER_SIGN: Final = (
    r"(?:\s{0,3}(?:[:=]{1,2}|\bis:)\s{0,3}[\"'`]?(?=\S{0,60}[\d!@#$%^&*_+=-])(?=\W{0,9}\w)[^\s\"'`]{6,200}"
    r"|\s{1,3}-\s{1,3}[\"'`]?(?=\S{0,60}\d)(?=\S{0,60}[a-z])[^\s\"'`]{8,200})"
)
_AFTER_IS: Final = (
    rf"(?:\s{{1,3}}{_IS}\s{{1,3}}(?:(?:now|currently|jetzt|aktuell)\s{{1,3}})?|[是は])"
    r"[\"'`]?(?=\S{0,60}(?:[\d@#$%^&*_+=]|!\S))[^\s\"'`]{6,200}"
)
# "Login is admin / Winter26": what stands behind the stroke has a digit.
_LOGIN: Final = (
    r"(?<![A-Za-z0-9])(?:log-?in|credentials|creds|user(?:name)? and password|zugangsdaten|zugang|anmeldung"
    rf"|anmeldedaten|identifiants|accès|credenciales|acceso|credenziali|accesso|inloggegevens)(?:\s{{0,3}}[:=]|\s{_IS})\s{{0,3}}"
    r"(?:[\w+-]{2,40}|[\w.+-]{1,64}@[\w.-]{3,60})\s{0,2}/\s{0,2}(?=[^\s/]{0,60}\d)[^\s\"'`/]{6,200}"
)
# Right behind the word a value has to look like one: letters, digits and signs, or a long mixture of the first two.
_BARE: Final = (
    r"\s{1,3}[\"'`]?(?=[^\s\"'`]{0,60}\d)(?=[^\s\"'`]{0,60}[a-z])"
    r"(?:(?=[^\s\"'`]{0,60}[!@#$%^&*+=])[^\s\"'`]{8,200}|[a-z0-9]{16,200}(?![^\s.,;:!?)]))"
)
_LABELLED: Final = (
    r"(?<![A-Za-z0-9])(?:secret|token|credential|pass|pw)\s{0,3}[:=]\s{0,3}[\"'`]?(?=[^\s\"'`]{0,60}\d)"
    r"(?=[^\s\"'`]{0,60}[a-z])[^\s\"'`]{8,200}"
)
_BREAK: Final = r"(?:\s|\\[nr]){1,4}"  # in JSON a line ends in a written-out \\n
_SECRET: Final = re.compile(
    r"(?<![A-Za-z0-9])(?:AKIA|ASIA)[0-9A-Z]{16}(?![A-Za-z0-9])"  # AWS access key
    r"|(?<![A-Za-z0-9])sk-[A-Za-z0-9_-]{16,200}"  # OpenAI, Anthropic, Stripe and others
    r"|(?<![A-Za-z0-9])(?:sk|rk)_(?:live|test)_[A-Za-z0-9]{16,200}"
    r"|(?<![A-Za-z0-9])whsec_[A-Za-z0-9+/=]{16,200}"
    r"|(?<![A-Za-z0-9])(?:gh[opsur]_[A-Za-z0-9]{20,255}|github_pat_[A-Za-z0-9_]{20,255}|glpat-[\w-]{20,100})"
    r"|(?<![A-Za-z0-9])(?:xox[abeprs]-[A-Za-z0-9-]{10,200}|xapp-[A-Za-z0-9-]{20,200})"  # Slack
    r"|(?<![A-Za-z0-9])ilk_[0-9a-z]{16}_[\w-]{40,60}"  # a key of this very server
    r"|(?<![A-Za-z0-9])AIza[0-9A-Za-z_-]{35}"  # Google
    r"|(?<![A-Za-z0-9])(?:npm|hf)_[A-Za-z0-9]{30,60}"
    r"|(?<![A-Za-z0-9])SG\.[\w-]{16,40}\.[\w-]{30,60}"  # SendGrid
    r"|(?<![A-Za-z0-9])eyJ[\w-]{10,2000}\.eyJ[\w-]{10,4000}\.[\w-]{10,1000}"  # JSON web token
    r"|(?i:(?<![A-Za-z0-9])bearer)\s[A-Za-z0-9._~+/-]{20,2000}={0,2}"
    r"|-----BEGIN [A-Z ]{0,30}PRIVATE KEY-----"
    rf"(?:{_BREAK}(?:[A-Za-z-]{{1,30}}: [^\n]{{0,100}}\n\s?)*(?:[A-Za-z0-9+/=]{{1,5000}}{_BREAK}){{0,200}}"
    rf"-----END [A-Z ]{{0,30}}PRIVATE KEY-----|(?:{_BREAK}[A-Za-z0-9+/=]{{16,}})*)"
    r"|(?<![A-Za-z0-9])[a-z][a-z0-9+.-]{1,20}://[^\s:/@]{1,100}:[^\s/@]{3,200}@"  # a password in an address
    rf"|(?i:{_CALLED}(?:{_AFTER_SIGN}|{_AFTER_IS}|{_BARE})|{_LABELLED}|{_LOGIN})"
)


def secrets(text: str) -> Iterator[Place]:
    """Yield what looks like a key, a token or a password."""
    for match in _SECRET.finditer(text):
        yield match.span()


def untellable(text: str) -> list[Place]:
    """Find what must never be kept, in order and apart: secrets, and numbers of payment cards."""
    flat = _flat(text)
    found: list[Place] = []
    for start, end in sorted([*secrets(flat), *PERSONAL["card"](flat)]):
        if found and start < found[-1][1]:
            found[-1] = (found[-1][0], max(end, found[-1][1]))
        else:
            found.append((start, end))
    return found


def masked(text: str, places: Iterable[Place] | None = None) -> str:
    """Return the text with the places blotted out, by default all of what must never be kept; its length stays."""
    parts: list[str] = []
    last = 0
    for start, end in untellable(text) if places is None else places:
        parts += [text[last:start], MASK * (end - start)]
        last = end
    return "".join([*parts, text[last:]])


def _flat(text: str) -> str:
    """Return the text with wide digits, odd blanks and dashes made plain, character for character."""
    if text.isascii():
        return text
    return "".join(_plain(character) for character in text)


def _plain(character: str) -> str:
    if character.isascii() or character.isalpha():
        return character
    kind = unicodedata.category(character)
    if kind in {"Pd", "Zs"}:
        return "-" if kind == "Pd" else " "
    folded = unicodedata.normalize("NFKC", character)
    return folded if len(folded) == 1 else character


def _all_of(*patterns: re.Pattern[str], valid: Callable[[str], bool] = bool) -> Callable[[str], list[Place]]:
    def find(text: str) -> list[Place]:
        return [match.span() for pattern in patterns for match in pattern.finditer(text) if valid(match[0])]

    return find


def _digits(text: str) -> list[int]:
    return [int(character) for character in text if character.isdecimal()]


def _is_phone(text: str) -> bool:
    """Digits enough and not too many, and neither a date nor a round number in groups nor a row of round numbers."""
    if len(_digits(text)) not in _PHONE_DIGITS or _DATE.match(text) or re.search(r"[ .]000$", text):
        return False
    return not _ROUND_NUMBERS.fullmatch(text)


def _phones(text: str) -> list[Place]:
    found = [match.span() for match in _PHONE.finditer(text) if _is_phone(match[0])]
    called = [match.span("it") for match in _PHONE_CALLED.finditer(text) if _is_phone(match["it"])]
    return found + [place for place in called if not any(place[0] < end and start < place[1] for start, end in found)]


def _is_card(text: str) -> bool:
    """Of an issued range, and Luhn (ISO/IEC 7812-1)."""
    digits = _digits(text)
    doubled = (sum(divmod(2 * digit, 10)) for digit in digits[-2::-2])
    issued = _ISSUED.fullmatch("".join(map(str, digits)))
    return issued is not None and len(set(digits)) > 1 and (sum(digits[-1::-2]) + sum(doubled)) % 10 == 0


PERSONAL: Final[dict[str, Callable[[str], Iterable[Place]]]] = {
    "email": _all_of(_EMAIL),
    "phone": _phones,
    "card": _all_of(_CARD, valid=_is_card),
    "national_id": national_ids,
    "iban": ibans,
}
"""Kind -> finder of its places in a text."""
