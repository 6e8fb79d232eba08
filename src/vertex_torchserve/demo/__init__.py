"""From a model folder to the predictions of a registered version, on one machine and in one command."""
