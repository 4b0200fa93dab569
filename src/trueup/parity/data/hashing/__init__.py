"""How rows are cut into buckets and hashed by their own server."""
