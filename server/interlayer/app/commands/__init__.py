"""The command line by subject; each command imports what it needs when it runs."""
