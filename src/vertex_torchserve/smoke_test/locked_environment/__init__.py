"""A Python with the very versions of a lock, made once on a machine, in which an archive is served.

May use pip; `lock.serving_lock` and `environment.locked_python` are the ways in.
"""
