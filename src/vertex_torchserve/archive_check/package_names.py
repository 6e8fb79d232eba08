"""Which package brings which module, as far as a name can tell it."""

from vertex_torchserve.archive_check.image_modules import ImageModules
from vertex_torchserve.archive_check.reading.requirements_file import RequirementsFile, normalised

# Packages whose module has another name, of those that handlers use; each as its own documentation says.
_MODULES = {
    "attrs": "attr",
    "beautifulsoup4": "bs4",
    "faiss-cpu": "faiss",
    "faiss-gpu": "faiss",
    "open-clip-torch": "open_clip",
    "opencv-contrib-python": "cv2",
    "opencv-contrib-python-headless": "cv2",
    "opencv-python": "cv2",
    "opencv-python-headless": "cv2",
    "pillow": "PIL",
    "protobuf": "google",
    "python-dateutil": "dateutil",
    "pyyaml": "yaml",
    "scikit-image": "skimage",
    "scikit-learn": "sklearn",
    "setuptools": "pkg_resources",
}


def names_module(package: str, module: str) -> bool:
    """Whether a package is the one that a module comes from.

    Args:
        package: Its normalised name.
        module: A top-level module.
    """
    return _MODULES.get(package) == module or package == normalised(module)


def could_bring(requirements: RequirementsFile, image: ImageModules) -> bool:
    """Whether requirements install anything that the image lacks, and with it modules of unknown names."""
    return any(each.name not in image.versions and not each.is_option for each in requirements.lines) or any(
        each.is_option for each in requirements.lines
    )
