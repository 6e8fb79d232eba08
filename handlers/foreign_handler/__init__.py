"""What the adapters share: they serve handlers that were written for other servers, as they are.

Standard library only, at the top: what a handler's own server would bring beside it (numpy, pillow, torch,
transformers) is imported where it is needed.
"""
