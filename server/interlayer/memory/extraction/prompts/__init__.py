"""Prompts: text that is read on its own; the modules beside this folder send it."""
