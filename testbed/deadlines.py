"""How long tests and benchmarks wait for something before they call it a hang.

A deadline ends what hangs; it times nothing. Each is ten times and more what the thing takes on two idle
cores, so that it holds on a slow machine that does other work as well. pytest's own limit (`timeout` in
pyproject.toml, and that of the tests of images) ends what has no deadline, and is longer than one of each
together. A limit that is what a test is about stands in the test.
"""

MOMENT_SECONDS = 60.0
"""What happens at once: a request reaches its handler, a port is closed, a queue is left. Milliseconds."""
ANSWER_SECONDS = 120.0
"""The answer to one request. Up to a few seconds."""
STOP_SECONDS = 120.0
"""The end of a server that is asked to end, and of every process below it. TorchServe takes three seconds."""
READY_SECONDS = 300.0
"""A TorchServe from its start until it answers. Six seconds with a small model."""
PROGRAM_SECONDS = 900.0
"""A whole program: the demo, the blocks of a document, a command. Up to a minute and a half."""
BUILD_SECONDS = 1800.0
"""A serving image from its Dockerfile, with nothing in the engine's cache."""
