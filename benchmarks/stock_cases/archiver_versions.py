"""Archives as torch-model-archiver's versions write them."""

from testbed.foreign_archives import FOREIGN_ARCHIVES

from .case import Ask, Case

ARCHIVER_CASES = tuple(
    Case(name, "archiver", make, Ask.json([1.0, 2.0]), {"body": [1.0, 2.0]})
    for name, make in FOREIGN_ARCHIVES.items()
)
