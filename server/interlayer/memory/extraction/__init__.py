"""Candidates from content: by a chat model under a token budget, or plainly without one."""
