"""The Java libraries of the server: TorchServe's own classes, and netty, log4j and others that are kept up.

`lock.toml` says which; `make.py` gets and proves them; `class_path.py` finds them when the server starts.
"""
