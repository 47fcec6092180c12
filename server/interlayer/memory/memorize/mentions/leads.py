"""What has still to be looked up once it is known whom a content names: where they work, and who works there."""

from collections.abc import Iterable, Sequence

from interlayer.memory.log.identifiers import fold_name
from interlayer.memory.log.records import Head
from interlayer.memory.memorize.mentions.actors import Actor, Types, addresses_at, domain_of
from interlayer.memory.memorize.mentions.known import Identifier, Known
from interlayer.memory.memorize.mentions.people import Introduction


def leads_of(
    types: Types, known: Known, introduced: Sequence[Introduction], heads: Iterable[Head]
) -> tuple[set[Identifier], set[str]]:
    """Return the domains and companies of people who are known.

    And, of those who are brought in under names that nobody bears, the addresses that they are likely to have.
    """
    identifiers: set[Identifier] = set()
    names: set[str] = set()
    houses: list[Actor] = []
    for head in heads:
        if head.entity.type == types.person:
            domains = filter(None, map(domain_of, head.identifiers.get("email", ())))
            identifiers |= {(types.company, "domain", domain) for domain in domains}
            if isinstance(told := head.properties.get("company"), str):
                names.add(fold_name(told))
        elif head.entity.type == types.company:
            houses.append(Actor(types.company, head.name, [head.name], head))
    strangers = [one.name for one in introduced if not one.address and fold_name(one.name) not in known.named]
    identifiers |= {
        (types.person, "email", address)
        for name in strangers
        for house in houses
        for address in addresses_at(name, house)
    }
    met = {fold_name(name) for house in houses if house.head for name in (house.head.name, *house.head.names)}
    return identifiers - set(known.held), names - set(known.named) - met
