"""Governance on a store in memory; the pieces stand in `governance_world`."""

from governance_world import embedder, world

__all__ = ["embedder", "world"]
