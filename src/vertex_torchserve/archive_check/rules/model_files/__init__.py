"""Rules about the other files of a model, for the reference handler."""
