"""What surrounds an entity: whom it is related to, what is known of those, and how two entities are connected."""
