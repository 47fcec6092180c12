"""Data subjects: where a person is held or named in a whole organization, copies of it, and its erasure."""
