"""Governance: policies as files, published sets, what governs a task, deterministic checks, receipts.

`interlayer_policies.governance` is the door; the other modules are plain values and functions behind it.
"""
