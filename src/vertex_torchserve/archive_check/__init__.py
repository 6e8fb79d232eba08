"""What is wrong with a model archive, found by reading it: before it is packaged, uploaded or served.

`check` runs the rules of `rules/`, one a file, over an archive, an unpacked folder or a model folder, and
gives findings. Nothing of the archive is run, and nothing is unpacked to the disk.
"""
