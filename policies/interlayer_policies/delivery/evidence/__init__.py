"""Whether guidance is about a task at all: the task made ready, and the floor that a section has to pass."""
