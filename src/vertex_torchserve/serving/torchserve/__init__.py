"""TorchServe as a program: its configuration files, its command line, its requirements, its process.

The only wing that writes what TorchServe reads and that sends it signals; it may use all the others.
"""
