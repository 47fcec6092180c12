"""Reads: recall of one entity, search over all of them, ranking, and the explanation of a fact."""
