"""Stores: the item store (source of truth), the vector index (projection), their ports and adapters."""
