"""What has still to be looked up once it is known whom a content names: where they work, and who works there."""

from collections.abc import Sequence

from interlayer.memory.log.identifiers import fold_name
from interlayer.memory.memorize.mentions.actors import Actor, Types, addresses_at, domain_of
from interlayer.memory.memorize.mentions.known import Identifier, Known
from interlayer.memory.memorize.mentions.people import Introduction


def leads_of(types: Types, known: Known, introduced: Sequence[Introduction]) -> tuple[set[Identifier], set[str]]:
    """Return the domains of people who are known, and the names of their companies where no domain leads to one.

    And, of those who are brought in under names that nobody bears, the addresses that they are likely to have.
    """
    identifiers: set[Identifier] = set()
    names: set[str] = set()
    houses = [
        Actor(types.company, one.name, [one.name], one) for one in known.heads if one.entity.type == types.company
    ]
    for head in known.heads:
        if head.entity.type == types.person:
            domains = filter(None, map(domain_of, head.identifiers.get("email", ())))
            places = {(types.company, "domain", domain) for domain in domains}
            identifiers |= places
            told = head.properties.get("company")
            if isinstance(told, str) and places.isdisjoint(known.held):
                names.add(fold_name(told))
    strangers = [one.name for one in introduced if not one.address and fold_name(one.name) not in known.named]
    likely = (address for name in strangers for house in houses for address in addresses_at(name, house))
    identifiers |= {(types.person, "email", address) for address in likely}
    called = {name for name in names if not any(house.bears(name) for house in houses)}
    return identifiers - set(known.held), called - set(known.named)
