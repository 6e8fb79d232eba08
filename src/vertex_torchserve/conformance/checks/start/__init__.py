"""From the start to the first prediction."""
