"""The schema of an organization: entity types, properties, value types, and the difference of two schemas."""
