"""The log: the JVM's output as entries, written as JSON or text, and why a model could not load."""
