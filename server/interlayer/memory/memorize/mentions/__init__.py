"""Whom a content tells of, and about whom each of its statements is: found by rules of language, without a model."""
