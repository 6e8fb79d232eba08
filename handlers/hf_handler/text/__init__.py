"""Text on its way into a model and out of it: tokens, windows, pooling, conversations, streaming."""
