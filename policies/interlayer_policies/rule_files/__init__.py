"""Rule files that teams have already, and their conversion into policies."""
