"""Sizes of bodies."""
