"""What the wheel and the sdist install: new environments, what pip did in them, how large they are."""
