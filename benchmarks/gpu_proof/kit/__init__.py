"""What a machine with a GPU and no network needs for the proof, in files that are small enough to carry."""
