"""Prove that an archive serves: start a server, ask it, report."""
