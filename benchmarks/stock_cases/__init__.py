"""Archives that people have for TorchServe, and what they ask them.

Of TorchServe's own fixtures, of its examples, of its archiver's versions.
"""

from .archiver_versions import ARCHIVER_CASES
from .case import Ask, Case
from .examples import EXAMPLE_CASES
from .fixtures import FIXTURE_CASES

CASES: tuple[Case, ...] = (*FIXTURE_CASES, *EXAMPLE_CASES, *ARCHIVER_CASES)

__all__ = ["CASES", "Ask", "Case"]
