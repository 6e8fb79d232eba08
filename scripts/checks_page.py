"""Write docs/checks.md: every rule of `vertex-torchserve check`, from the rules' own docstrings.

python -m scripts.checks_page
"""

import sys
from pathlib import Path

from scripts.docstring_page import page_of
from vertex_torchserve.archive_check.rule_table import RULES

PAGE = Path(__file__).resolve().parent.parent / "docs" / "checks.md"
_HEAD = """\
# What `vertex-torchserve check` looks at

Made from the rules by `python -m scripts.checks_page`, not by hand.

`check PATH` reads an archive (a .mar or a .tar.gz), an unpacked archive or a model folder, on the disk or at
a gs:// path. It runs nothing of it and writes nothing. A finding is an **error** (it won't serve), a
**warning** (it will surprise) or a **note**; it names the member and the line, and says what to do. With
`--json` a program can read the findings. `package` and the component run the same rules on what they are
about to write: an error refuses, warnings are printed.

An archive of a gigabyte takes about a second and 45 MB of memory
([measured](../benchmarks/results/archive_check.md)). Findings about what an image lacks are about this
project's CPU image, its GPU image (`--image gpu`), both without Docker, or the one that `--image NAME` names,
which is asked; for `package` they are warnings, because another image may have it.
"""


def page() -> str:
    """The page's text."""
    return page_of(_HEAD, RULES, lambda group: group.replace("_", " ").capitalize())


def main() -> int:
    """Write the page; returns the exit code."""
    PAGE.write_text(page(), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
