"""Delivery of a published set to a caller: scope, precedence, relevance, packing and compliance."""
