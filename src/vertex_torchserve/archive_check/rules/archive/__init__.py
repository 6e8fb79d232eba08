"""Rules about the archive as a file, its members and its manifest."""
