"""What the proof shows, one part a file; each has `run(scale, scratch)`, which returns its finding."""
