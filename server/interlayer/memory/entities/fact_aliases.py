"""Which fact ids name one statement: entities that are merged may both have said it."""

from interlayer.memory.log.records import statement_of


class FactAliases:
    """Groups of fact ids that name one statement (a union-find; chains are as short as merges are few)."""

    def __init__(self) -> None:
        self._leads_to: dict[str, str] = {}

    def root(self, fact_id: str) -> str:
        """Return the id that stands for the group."""
        root = statement_of(fact_id)
        while root in self._leads_to:
            root = self._leads_to[root]
        return root

    def join(self, fact_id: str, other: str) -> tuple[str, str]:
        """Put two groups together under the root of `other`; return the former root of the first, and the root."""
        former, root = self.root(fact_id), self.root(other)
        if former != root:
            self._leads_to[former] = root
        return former, root
