"""What became known of an entity when, and what took the place of what."""
