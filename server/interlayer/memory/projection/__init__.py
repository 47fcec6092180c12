"""The vector layer as a projection of the log: outbox, rows, backfill, consistency and re-embedding."""
