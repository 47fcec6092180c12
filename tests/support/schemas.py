"""Schemas and property values for hypothesis, and schema texts for tests."""

from typing import Any

from hypothesis import strategies as st

from interlayer.memory.schema.schema import Schema

NAMES = ("alpha", "beta", "gamma", "delta", "epsilon")
WORDS = ("open", "won", "lost", "yes", "off", "in progress", "état", "#1", "null", "2024")
TYPES = ("text", "number", "integer", "boolean", "date", "datetime", "money", "enum", "list", "email", "url", "phone")
ORDERED = ("number", "integer", "money", "date", "datetime")
TEXTS = st.text(st.characters(exclude_categories=("Cs", "Cc", "Co", "Cn")), max_size=12)


@st.composite
def properties(draw: st.DrawFn) -> dict[str, Any]:
    """Draw one property as a schema file says it."""
    kind = draw(st.sampled_from([*TYPES, "reference"]))
    said: dict[str, Any] = {"type": kind}
    if kind == "enum":
        words = draw(st.lists(st.sampled_from(WORDS), min_size=1, unique=True))
        cut = draw(st.integers(1, len(words)))
        said["values"] = {word: [] for word in words[:cut]}
        said["values"][words[0]] = words[cut:]
    if kind == "reference":
        said["target"] = draw(st.sampled_from([["thing"], ["thing", "other"]]))
    if kind in {"number", "integer"} and draw(st.booleans()):
        said["unit"] = draw(st.sampled_from(["%", "days"]))
    if kind == "text" and draw(st.booleans()):
        said["pattern"] = draw(st.sampled_from([r"[A-Z]{2}-\d+", ".*", "(?i)ok|no"]))
    updates = ["replace", "keep_first"]
    updates += ["append"] if kind == "list" else ["max", "min"] if kind in ORDERED else []
    said["update"] = draw(st.sampled_from(updates))
    said |= draw(
        st.fixed_dictionaries(
            {},
            optional={
                "description": TEXTS,
                "indexed": st.booleans(),
                "sensitivity": st.sampled_from(["public", "internal", "personal", "restricted"]),
                "minimum_confidence": st.sampled_from([0, 0.25, 1]),
                "find": st.sampled_from([["x: {value}"], [r"\bnr (\d+)", "'{value}'"]]),
                "retired": st.booleans(),
            },
        )
    )
    return said


@st.composite
def schemas(draw: st.DrawFn) -> Schema:
    """Draw a schema of two entity types."""
    kinds = draw(st.sampled_from([{}, {"nr": {"pattern": r"N-\d+"}, "code": {}}]))
    entities: dict[str, Any] = {}
    for name in ("thing", "other"):
        declared = draw(st.dictionaries(st.sampled_from(NAMES), properties(), max_size=4))
        free = [one for one in NAMES if one not in declared]
        if declared and free and draw(st.booleans()):
            declared[next(iter(declared))]["was"] = free[:2]
        entities[name] = {"description": draw(TEXTS), "identifiers": list(kinds), "properties": declared}
    gates = draw(st.sampled_from([{}, {"off": ["dangling"]}, {"minimum_confidence": 0.75}]))
    entities["thing"]["pronouns"] = draw(st.sampled_from([[], ["it"]]))
    return Schema.model_validate({"entities": entities, "identifiers": kinds, "gates": gates})


VALUES = st.one_of(
    st.sampled_from(
        (
            *("12", "12.5", "$4k", "2026-03-01", "March 3, 2026", "2026-03-01T10:00:00+02:00", "yes", "won", "AB-1"),
            *("ann@acme.com", "www.acme.com.", "+1 (206) 555-0100", "thing: x", "0001-01-01T00:00:00+14:00", "²"),
        )
    ),
    st.text(max_size=30),
    st.integers(-(10**20), 10**20),
    st.floats(),
    st.booleans(),
    st.lists(st.text(max_size=5), max_size=3),
    st.fixed_dictionaries({"amount": st.integers()}, optional={"currency": st.text(max_size=4)}),
    st.none(),
)
"""Anything that an agent might send as a value."""
