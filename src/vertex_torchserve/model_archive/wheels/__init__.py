"""The wheels of an archive's requirements, put into it so that a container needs no network."""
