"""A model's container: its environment, routes and probes, and what serves it.

`model_server.py` is what endpoints and batch jobs use, over a `Serving`. `served_process.py` is
the images' entrypoint as a process, `docker_launcher.py` and `docker_container.py` the registered image.
"""
