"""The audit trail beside a real governance; the pieces stand in `governance_world`."""

from governance_world import world

__all__ = ["world"]
