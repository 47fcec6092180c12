"""Deterministic checks of a text: terms, patterns, amounts, private data."""
