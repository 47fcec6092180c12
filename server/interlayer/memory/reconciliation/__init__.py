"""Reconciliation of candidates with what is known: merge, supersede, or keep both."""
