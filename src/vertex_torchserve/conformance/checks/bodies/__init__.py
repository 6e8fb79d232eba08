"""Bodies that are wrong."""
