"""Makes a model's virtual environment; TorchServe runs this file in place of its own of that name.

TorchServe's installs pip and setuptools into the environment. That takes three seconds, and the setuptools of
Python 3.11 is older than torch asks for, so that pip downloads another or, without an index, fails. Ours
installs nothing and sees every package that is installed beside torch.
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
