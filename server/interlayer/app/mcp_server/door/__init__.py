"""The door over HTTP: who may come in by which name, how much at once, and what is said to whoever may not."""
