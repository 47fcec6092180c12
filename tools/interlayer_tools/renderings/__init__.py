"""Answers as text that a model reads: lines that say the same as the structured answer, in far fewer characters."""
