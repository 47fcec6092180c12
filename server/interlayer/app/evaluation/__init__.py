"""Scores of extraction against labelled samples, for `interlayer memory evaluate`."""
