"""What is in force, compared with what the trail says of it."""
