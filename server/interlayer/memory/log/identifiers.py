"""Entity strings and identifiers: parsing, normalising, and telling an identifier from a display name."""

import re
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from interlayer.errors import InvalidInput
from interlayer.memory.schema.schema import Schema
from interlayer.memory.schema.types import KEY_MAX
from interlayer.text.visible import visible

NAME_MAX: Final = 200
REASON_MAX: Final = 500
IDENTIFIERS_MAX: Final = 50
GENERIC: Final = "key"
"""Kind of an identifier whose shape no declared kind has."""
NAME: Final = "name"
"""Kind of the claim that keeps two agents from creating the same named entity twice."""

_KIND: Final = re.compile(r"[a-z][a-z0-9_]{0,39}")
_ID: Final = re.compile(r"e_[0-9a-z]{16}")
_EXTENSION: Final = re.compile(r"(?<=\d)[\s,;]*(?:ext(?:ension)?\.?|x|#)[\s:=]*(?=\d)")
_TRUNK: Final = re.compile(r"\(\s*0\s*\)")
_ADDRESS: Final = re.compile(r"^.*<([^<>]+@[^<>]+)>$|^mailto:([^?]*).*$")
_NAMED_ADDRESS: Final = re.compile(r"""["'\s]*([^<>@"]*?)["'\s]*<\s*([^<>@\s]+@[^<>@\s]+)\s*>""")
_SALESFORCE: Final = re.compile(r"(?=(?:\D*\d){3})[0-9A-Za-z]{15}")
_SALESFORCE_SUFFIX: Final = "ABCDEFGHIJKLMNOPQRSTUVWXYZ012345"
_SAME_MARKS: Final = str.maketrans(
    dict.fromkeys("\u2010\u2011\u2012\u2013\u2014\u2015\u2212\ufe58\ufe63", "-")
    | dict.fromkeys("\u2018\u2019\u201a\u201b\u2032\u02b9\u02bc\u00b4`", "'")
    | dict.fromkeys("\u201c\u201d\u201e\u201f\u2033\u00ab\u00bb", '"')
)
"""Dashes, apostrophes and quotation marks that programs write in place of those on the keyboard."""
_BEFORE_HOST: Final = re.compile(r"^(?:[a-z][a-z0-9+.-]*:)?//(?:[^/?#@]*@)?")


@dataclass(frozen=True, slots=True)
class EntityString:
    """A parsed `type:key`; `name` is what stood before the address in `type:NAME <ADDRESS>`."""

    type: str
    key: str
    name: str | None = None

    @property
    def is_id(self) -> bool:
        """Whether the key is an internal id."""
        return bool(_ID.fullmatch(self.key))


def parse_entity(text: str, schema: Schema, field: str = "entity") -> EntityString:
    """Return the parts of an entity string. Raises `InvalidInput` naming the field and the form it takes."""
    text = visible(text)  # nobody can see what else tells two apart
    check_text(text, field)
    kind, colon, key = text.strip().partition(":")
    key = " ".join(key.split())
    if not colon or not key:
        raise InvalidInput(field, f"{text[:80]!r} is no entity.", "Write type:key, such as company:techflow.io.")
    if len(key) > KEY_MAX:
        raise InvalidInput(field, f"the key has {len(key)} characters.", f"At most {KEY_MAX} are taken.")
    schema.entity(kind, field)
    if addressed := _NAMED_ADDRESS.fullmatch(key):
        return EntityString(kind, addressed[2], addressed[1][:NAME_MAX] or None)
    return EntityString(kind, key)


def check_text(text: str, field: str, most: int | None = None) -> None:
    """Raise `InvalidInput` for what no store or model can carry: lone surrogates, control characters, too much."""
    if most is not None and len(text) > most:
        raise InvalidInput(field, f"{len(text)} characters, {most} is the limit.", "Send less.")
    for position, character in enumerate(text):
        if character < " " and character not in "\t\n\r\f\v":
            raise InvalidInput(field, f"control character at position {position}.", "Send plain text.")
        if "\ud800" <= character <= "\udfff":
            raise InvalidInput(field, f"lone surrogate at position {position}.", "Send valid Unicode.")


def check_reason(reason: str) -> None:
    """Raise `InvalidInput` for a reason that the audit trail cannot tell anybody."""
    if not reason.strip():
        raise InvalidInput("reason", "is blank.", "Say why; it is kept in the audit trail.")
    check_text(reason, "reason", REASON_MAX)


def normal_identifier(kind: str, value: str, schema: Schema) -> str:
    """Return the form under which two spellings of an identifier are the same. Raises `InvalidInput`.

    Case tells identifiers apart where the schema says so of the kind, and in ids of Salesforce.
    """
    field = f"identifiers.{kind[:40]}"
    if not _KIND.fullmatch(kind) or kind == NAME:
        raise InvalidInput(field, "no kind of identifier.", "Use a short lower-case word, such as email or crm_id.")
    value = visible(value)
    check_text(value, field)
    declared = schema.identifiers.get(kind)
    spelled, normal = _NORMAL.get(kind, (_exact if declared and declared.case == "kept" else _record_id, str))
    text, before = spelled(value), ""
    while text != before:  # what is peeled off may leave something to peel: https://www.www.acme.com
        text, before = spelled(normal(text)), text
    if not 0 < len(text) <= KEY_MAX:
        raise InvalidInput(field, f"{value[:60]!r} is no {kind}.", f"Send 1 to {KEY_MAX} characters.")
    return text


def fold_name(name: str) -> str:
    """Return the form under which two spellings of a display name are the same."""
    return _fold(name)


def possible_identifiers(entity: EntityString, schema: Schema) -> dict[str, str]:
    """Return {kind: normal form} of everything that a key may be an identifier of, likeliest first.

    A key has the shape of a declared kind, or it is a generic key, unless it can only be a display name: several
    words, or one word of letters alone.
    """
    found: dict[str, str] = {}
    for kind in schema.entities[entity.type].identifiers:
        shape = schema.identifiers[kind].shape
        if shape is not None and shape.fullmatch(_exact(entity.key)):
            found[kind] = normal_identifier(kind, entity.key, schema)
    if not found and not re.search(r"\s", entity.key) and not entity.key.isalpha():
        found[GENERIC] = normal_identifier(GENERIC, entity.key, schema)
    return found


def _phone(text: str) -> str:
    """Return the digits, with + where a country code is given; without one a number stays as it was dialled."""
    number, _, extension = _EXTENSION.sub("\n", text).partition("\n")
    international = re.match(r"\D*(?:\+|00)", _decimal(number))
    if international:
        number = _TRUNK.sub("", number)
    digits = re.sub(r"\D", "", _decimal(number))
    if international and digits.removeprefix("00"):
        digits = f"+{digits.removeprefix('00')}"
    further = re.sub(r"\D", "", _decimal(extension))
    return f"{digits}x{further}" if digits and further else digits


def _decimal(text: str) -> str:
    """Return a text with the digits of every script as 0 to 9, and nothing else that counts as one."""
    return "".join(str(unicodedata.decimal(one)) if one.isdecimal() else "" if one.isdigit() else one for one in text)


def _email(text: str) -> str:
    text = _ADDRESS.sub(r"\1\2", text)
    local, at, domain = text.rpartition("@")
    return f"{local}@{_host(domain)}" if at else text


def _domain(text: str) -> str:
    return _host(re.sub(r"[/?#].*$", "", _BEFORE_HOST.sub("", text)).removeprefix("www."))


def _host(text: str) -> str:
    """Return a host name without port and final dot, its labels as people read them."""
    labels = re.sub(r":\d*$", "", text.strip()).rstrip(".").split(".")
    return ".".join(_label(label) for label in labels)


def _label(label: str) -> str:
    if label.startswith("xn--"):
        try:
            return _lower(label[4:].encode("ascii").decode("punycode")) or label
        except UnicodeError:
            return label
    return label


def _fold(text: str) -> str:
    """Fold case, width and typography; the i of Turkish with and without its dot is one in either case."""
    plain = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text.translate(_SAME_MARKS)).casefold())
    return " ".join(plain.translate(_SAME_MARKS).replace("i\u0307", "i").replace("\u0131", "i").split())


def _exact(text: str) -> str:
    """Fold width and typography, and keep case."""
    return " ".join(unicodedata.normalize("NFKC", text.translate(_SAME_MARKS)).split())


def _record_id(text: str) -> str:
    """Fold an id of a record; one of Salesforce with 15 characters becomes the one with 18, which has no case.

    The suffix says which letters of each five are capitals (Salesforce help, "Convert 15-character IDs").
    """
    plain = _exact(text)
    if not _SALESFORCE.fullmatch(plain):
        return _fold(plain)
    fives = (plain[start : start + 5] for start in range(0, 15, 5))
    capitals = (sum(one.isupper() << place for place, one in enumerate(five)) for five in fives)
    return _fold(plain + "".join(_SALESFORCE_SUFFIX[number] for number in capitals))


def _lower(text: str) -> str:
    """Fold less than `_fold`: "ß" and "ss" are letters of two different domains."""
    return " ".join(unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).lower()).split())


_NORMAL: Final[Mapping[str, tuple[Callable[[str], str], Callable[[str], str]]]] = {
    "phone": (_fold, _phone),
    "email": (_lower, _email),
    "domain": (_lower, _domain),
}
"""By kind: how its spelling is folded, and what is then left out of it."""
