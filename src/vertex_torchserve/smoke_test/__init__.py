"""Prove that an archive serves: start a server in process or in a container, ask it, report check by check.

May use `serving` and `docker`; needs no cloud. `run.run_smoke_test` is the way in.
"""
