"""Property types: what a value of each looks like in text, and how it is normalised.

Normal forms, as stored: text and its kin a string; phone E.164 where the country is told, else its digits; number and
integer a JSON number; boolean true or false; date `YYYY-MM-DD`; datetime ISO 8601 in UTC; money `{"amount": 450000,
"currency": "USD"}` (currency missing when none was stated); enum one of the declared values; list an array of strings;
reference an entity string `type:key`. What can be read in two ways is not taken, and the problem names both. A normal
form is its own normal form: stored values are read back through the same functions, under the schema of today.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, Literal

from interlayer.language.dates import UPCOMING, parsed
from interlayer.language.instants import TIMED, instant_of
from interlayer.language.quantities.units import currency_of
from interlayer.language.quantities.values import MONEY, NUMBER, WHOLE_NUMBER, money_of, number_of
from interlayer.language.writing.conventions import UNKNOWN, Ambiguous, Conventions
from interlayer.language.writing.phones import PHONE, phone_of

PropertyType = Literal[
    "text",
    "number",
    "integer",
    "boolean",
    "date",
    "datetime",
    "money",
    "enum",
    "list",
    "email",
    "url",
    "phone",
    "reference",
]
KEY_MAX: Final = 300
"""Characters of the key in an entity string."""

# What stands for {value} in a `find` pattern. RE2 syntax.
TEXT_FORMS: Final[Mapping[str, str]] = {
    "text": r"\S[^\n]{0,200}?",
    "number": NUMBER,
    "integer": WHOLE_NUMBER,
    "boolean": r"yes|no|true|false",
    "date": UPCOMING,
    "datetime": TIMED,
    "money": MONEY,
    "list": r"[^\n]{1,300}?",
    "email": r"[\w.+%-]+@[\w-]+(?:\.[\w-]+)*\.[a-z]{2,24}",
    "url": r"(?:https?://)?[\w-]+(?:\.[\w-]+)+(?:/[\w./%~?=&#-]*)?",
    "phone": PHONE,
}
_TRUE, _FALSE = {"true", "yes", "y"}, {"false", "no", "n"}
_TEXT_MAX: Final = 2_000
_NUMBER_MAX: Final = 1e300  # not a number and infinity are over it as well
_LIST_MAX: Final = 200
_ENDS: Final = " \t\n.,;:!*\"'"
_COMPOUND: Final = frozenset({"list", "money"})  # the only types that take an array or an object


class ValueProblem(ValueError):
    """The value is not of the type; the message says what the type takes."""


class AmbiguousValue(ValueProblem):
    """The value can be read in two ways; the message names both."""


def normalise(
    kind: str, value: Any, enum: Mapping[str, Sequence[str]] | None = None, conventions: Conventions = UNKNOWN
) -> Any:
    """Return the normal form of a value of a property type, read by the conventions of the text that it is from.

    Raises `ValueProblem`, and of these `AmbiguousValue` for what can be read in two ways.
    """
    if isinstance(value, list | tuple | Mapping) and kind not in _COMPOUND:
        raise ValueProblem("takes one value")
    if kind == "enum":
        return _enum(value, enum or {})
    try:
        return _NORMALISERS[kind](value, conventions)
    except Ambiguous as error:
        raise AmbiguousValue(f"is ambiguous: {error}") from error


def reference(value: Any, targets: Sequence[str]) -> str:
    """Return an entity string of one of the target types in normal form. Raises `ValueProblem`."""
    kind, _, key = str(value).strip().partition(":")
    key = " ".join(key.split())
    if isinstance(value, list | tuple | Mapping) or kind not in targets or not 0 < len(key) <= KEY_MAX:
        forms = " or ".join(f"{target}:key" for target in targets)
        raise ValueProblem(f"takes an entity, written {forms}")
    return f"{kind}:{key}"


def enum_words(enum: Mapping[str, Sequence[str]]) -> dict[str, list[str]]:
    """Return every folded word of an enum with the values that it stands for: more than one is a mistake."""
    words: dict[str, list[str]] = {}
    for name, synonyms in enum.items():
        for word in dict.fromkeys(_fold(one) for one in (name, *synonyms)):
            words.setdefault(word, []).append(name)
    return words


def _text(value: Any, _: Conventions = UNKNOWN) -> str:
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise ValueProblem("takes text")
    text = " ".join(str(value).split())
    if not text or len(text) > _TEXT_MAX:
        raise ValueProblem(f"takes 1 to {_TEXT_MAX} characters of text")
    return text


def _number(value: Any, conventions: Conventions, *, whole: bool = False) -> float | int:
    if isinstance(value, str):
        value = number_of(value, conventions, whole=whole)
    if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) <= _NUMBER_MAX:
        raise ValueProblem("takes a number, such as 12.5")
    return int(value) if float(value).is_integer() and abs(value) < 2**53 else value


def _integer(value: Any, conventions: Conventions) -> int:
    number = _number(value, conventions, whole=True)
    if not isinstance(number, int):
        raise ValueProblem("takes a whole number, such as 280")
    return number


def _boolean(value: Any, _: Conventions) -> bool:
    word = str(value).strip().casefold()
    if word in _TRUE:
        return True
    if word in _FALSE:
        return False
    raise ValueProblem("takes true or false")


def _date(value: Any, conventions: Conventions) -> str:
    found = parsed(str(value), conventions)
    if found is None:
        raise ValueProblem("takes a date with day, month and year, such as 2026-03-31")
    return found.isoformat()


def _datetime(value: Any, conventions: Conventions) -> str:
    instant = instant_of(str(value), conventions)
    if instant is None:
        raise ValueProblem("takes a date, with a time or without one, such as 2026-03-31T09:00+01:00")
    return instant.isoformat(timespec="seconds").replace("+00:00", "Z")


def _money(value: Any, conventions: Conventions) -> dict[str, Any]:
    if isinstance(value, Mapping):
        amount, currency = value.get("amount"), value.get("currency")
    elif isinstance(value, str):
        stated = money_of(value, conventions)
        amount, currency = (stated.amount, stated.currency) if stated else (None, None)
    else:
        amount, currency = value, None
    try:
        result: dict[str, Any] = {"amount": _number(amount, conventions)}
    except ValueProblem as error:
        raise ValueProblem("takes an amount of money, such as $450,000") from error
    if currency is not None:
        code = currency_of(str(currency))
        if code is None and not re.fullmatch(r"[A-Z]{3}", str(currency)):
            raise ValueProblem("takes an amount in a currency by its code of three letters")
        result["currency"] = code or str(currency)
    return result


def _list(value: Any, _: Conventions) -> list[str]:
    parts = re.split(r",|;|\b(?:and|et|und)\b", value) if isinstance(value, str) else value
    if not isinstance(parts, list | tuple) or len(parts) > _LIST_MAX:
        raise ValueProblem(f"takes 1 to {_LIST_MAX} values")
    entries = list(dict.fromkeys(_text(part) for part in parts if str(part).strip()))
    if not entries:
        raise ValueProblem(f"takes 1 to {_LIST_MAX} values")
    return entries


def _email(value: Any, _: Conventions) -> str:
    text = str(value).strip().casefold()
    if not re.fullmatch(r"[^@\s]{1,64}@[^@\s]{1,190}\.[^@\s.]{2,24}", text):
        raise ValueProblem("takes an e-mail address")
    return text


def _url(value: Any, _: Conventions) -> str:
    text = str(value).strip().rstrip(".,;)")
    address = text if "://" in text else f"https://{text}"
    if (
        not re.fullmatch(r"(?:https?://)?[^\s/.]+(?:\.[^\s/.]+)+(?:/\S*)?", text, re.IGNORECASE)
        or len(address) > _TEXT_MAX
    ):
        raise ValueProblem("takes a web address")
    return address


def _phone(value: Any, _: Conventions) -> str:
    found = phone_of(str(value))
    if found is None:
        raise ValueProblem("takes a phone number of 7 to 15 digits, such as +49 30 901820")
    return found


def _enum(value: Any, enum: Mapping[str, Sequence[str]]) -> str:
    names = enum_words(enum).get(_fold(str(value)))
    if not names:
        raise ValueProblem(f"takes one of: {', '.join(enum)}")
    return names[0]


def _fold(word: str) -> str:
    return " ".join(re.split(r"[\s_/-]+", word.casefold().strip(_ENDS)))


_NORMALISERS: Final[Mapping[str, Callable[[Any, Conventions], Any]]] = {
    "text": _text,
    "number": _number,
    "integer": _integer,
    "boolean": _boolean,
    "date": _date,
    "datetime": _datetime,
    "money": _money,
    "list": _list,
    "email": _email,
    "url": _url,
    "phone": _phone,
}
