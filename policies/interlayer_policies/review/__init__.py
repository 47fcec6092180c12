"""Review before a publish: lint, tests, difference, and the token budget of rules."""
