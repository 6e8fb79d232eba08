"""The site of the documents: what it takes from where it lies, and what it makes from the code."""
