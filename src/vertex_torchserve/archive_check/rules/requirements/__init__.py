"""Rules about the packages that are installed when the model is loaded."""
