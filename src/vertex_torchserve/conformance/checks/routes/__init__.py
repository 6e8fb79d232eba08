"""Routes and methods."""
