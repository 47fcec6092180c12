"""What entities are called: by what a name in a content finds them, and who may be whom."""
