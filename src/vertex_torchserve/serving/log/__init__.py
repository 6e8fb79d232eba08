"""The log: the JVM's output as entries, written as JSON or text, and why a model could not load.

Knows the format of the worker's log lines (`envelope`) and nothing else of the server.
"""
