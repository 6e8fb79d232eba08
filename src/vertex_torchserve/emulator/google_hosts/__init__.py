"""Google's own host names, answered by the emulator: for clients that write them themselves.

`authority.py` makes the certificates, `proxy.py` leads connections here, `access.py` holds both and what a
client's environment needs.
"""
