"""The command `vertex-torchserve`; one file for each subcommand: parse, one library call, print."""

from vertex_torchserve.cli.app import main

__all__ = ["main"]
