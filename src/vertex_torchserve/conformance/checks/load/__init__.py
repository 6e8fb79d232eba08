"""Many clients, and slow ones."""
