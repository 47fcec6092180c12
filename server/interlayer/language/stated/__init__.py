"""What a sentence states of somebody: whether a value is so, and which post he has."""
