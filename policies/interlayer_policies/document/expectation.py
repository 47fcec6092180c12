"""From an entry of `tests:` to a test: the situation that it gives, and what is expected there."""

from datetime import tzinfo

from interlayer_policies.document.days import begins
from interlayer_policies.document.frontmatter import ExpectationKeys
from interlayer_policies.document.policy import PROPERTY_FACET, Expectation, folded

_FACETS = ("agent", "team", "channel", "audience", "region", "entity_type")


def read_expectation(keys: ExpectationKeys, line: int, zone: tzinfo) -> Expectation:
    """Return the test; its date is a day of the zone."""
    situation: dict[str, tuple[str, ...]] = {
        name: (folded(value),) for name in _FACETS if (value := getattr(keys, name))
    }
    if keys.tags:
        situation["tags"] = tuple(folded(tag) for tag in keys.tags)
    if keys.entity:
        situation |= {"entity_type": (folded(keys.entity.type),)} if keys.entity.type else {}
        for name, values in keys.entity.properties.items():
            situation[f"{PROPERTY_FACET}{name}"] = tuple(sorted({folded(one) for one in values}))
    return Expectation(
        task=keys.task or "",
        situation=situation,
        rules=keys.expect_rules,
        sections=keys.expect_sections,
        line=line,
        absent=keys.expect_not,
        draft=keys.draft,
        violations=keys.expect_violations or (),
        at=begins(keys.at, zone) if keys.at else None,
    )
