"""Serve a model on this machine while somebody works on it: `serve`, and its playground.

May use `smoke_test`, `model_archive` and what is below them.
"""
