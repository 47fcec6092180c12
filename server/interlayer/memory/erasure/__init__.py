"""Erasure from every layer: the plan, the redaction of what refers to it, and retention."""
