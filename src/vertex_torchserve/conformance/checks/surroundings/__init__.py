"""Another user, a read-only root, no network."""
