"""Reading an archive: find it, check it, unpack it, read its manifest, configuration and golden request."""
