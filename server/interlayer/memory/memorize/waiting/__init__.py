"""What waits: calls whose content a model is reading, and content that one has still to read."""
