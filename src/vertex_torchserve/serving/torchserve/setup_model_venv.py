"""Makes a model's virtual environment; TorchServe runs this file in place of its own of that name.

TorchServe's gives the environment a pip and a setuptools of its own. That takes three seconds, and the
setuptools that comes with Python 3.11 is older than torch asks for, so that pip fetches another or, without
an index, fails. Here the environment holds nothing and sees everything that is installed where torch is.
"""

import importlib.util
import site
import sys
import venv
from pathlib import Path


def make_environment(folder: Path) -> None:
    """Make the environment anew.

    Args:
        folder: Where; what is there is removed.
    """
    venv.create(folder, clear=True, with_pip=importlib.util.find_spec("pip") is None)
    own = next(folder.glob("lib/python*/site-packages"))
    inherited = [path for path in site.getsitepackages() if Path(path).exists()]
    (own / "inherited-site-packages.pth").write_text("".join(f"{path}\n" for path in inherited))


if __name__ == "__main__":
    make_environment(Path(sys.argv[1]))
