"""The vector index on LanceDB, in a folder or a bucket."""
