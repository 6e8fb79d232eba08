"""Reading a model archive: find it, refuse a bad one, unpack it, read what it says about itself.

Reads the environment's settings and Cloud Storage. Knows nothing of TorchServe, the machine or the log.
"""
