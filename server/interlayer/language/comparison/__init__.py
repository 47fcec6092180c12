"""How a newer statement stands to an older one: the same, in its place, near to it, or about something else."""
