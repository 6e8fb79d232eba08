"""What several tasks have in common: how their model is loaded, and how a pack of items is run."""
