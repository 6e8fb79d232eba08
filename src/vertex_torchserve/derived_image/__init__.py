"""A derived image: another image with what one's models need installed in it, so that no start does it."""

from vertex_torchserve.derived_image.build import DerivedImage, build_derived_image

__all__ = ["DerivedImage", "build_derived_image"]
