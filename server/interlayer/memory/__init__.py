"""The domain of memory: entities, their schema, what is known of them, and how it is found again."""
