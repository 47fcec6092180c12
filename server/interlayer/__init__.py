"""Interlayer: one entity memory and one governance for every agent of an organization."""

__version__ = "0.1.0"
