"""The item store on SQLite, one writer a file."""
