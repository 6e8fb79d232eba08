"""Does a serving image keep Vertex AI's contract? Start it as Vertex AI would, ask it, report check by check.

Any image, ours or not; needs Docker, no cloud. `image.check_image` is the way in, `check_table.CHECKS` has
every check. A server is started through `server.Launcher`: a container here, a process in tests.
"""
