"""Which entities may be one: compared pair by pair, listed with reasons, decided by people."""
