"""What the reference handler takes and answers for an archive: asked without a server, and without torch.

May use `serving`, which reads archives; the smoke test and the registry use it.
"""
