"""Twins of both stores that live in one process and end with it: what the domains' tests run on."""
