"""Entities as they stand: their resolution, their repository, and the view that a log folds into."""
