"""Programs for work on this project: each is run from the checkout's root as `python -m scripts.NAME`.

Those under `cloudbuild/` that run inside an image import nothing but what is installed there.
"""
