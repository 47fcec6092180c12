"""What stewards change by hand: merges, splits, re-extraction, and the review of rejected candidates."""
