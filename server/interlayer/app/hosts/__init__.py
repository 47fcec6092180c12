"""Programs in which agents live: where each keeps its configuration, and what its agents are told."""
