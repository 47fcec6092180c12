"""The log of an entity: its records, keys, properties and revision, and how it is read."""
