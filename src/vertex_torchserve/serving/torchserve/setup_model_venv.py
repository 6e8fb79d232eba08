"""Makes a model's virtual environment; TorchServe runs this file in place of its own of that name.

TorchServe's installs pip and setuptools into the environment. That takes three seconds, and the setuptools of
Python 3.11 is older than torch asks for, so that pip downloads another or, without an index, fails. Ours
installs nothing and sees every package that is installed beside torch.

TorchServe starts pip in another folder than the model's, where a requirement that names a file of the archive
(`./mypkg.whl`, `-e .`) leads nowhere. So pip changes to that folder first.
"""

import importlib.metadata
import os
import site
import sys
import venv
from pathlib import Path

# The variable that names the model's folder (requirements.py sets it).
MODEL_FOLDER = "VTS_MODEL_FOLDER"
# Python runs this line of a .pth file at each start; the programs that pip starts stay where they are.
_CHANGE_FOLDER = "import os, sys; sys.orig_argv[1:4] == ['-m', 'pip', 'install'] and os.chdir({!r})\n"


def make_environment(folder: Path, model_folder: str) -> None:
    """Make the environment anew.

    Args:
        folder: Where; what is there is removed.
        model_folder: Where its pip installs from.
    """
    # Not importlib.util.find_spec: setuptools' finder takes it for an import of pip and gives the process
    # Python's own, deprecated distutils from then on.
    has_pip = any(importlib.metadata.distributions(name="pip"))
    venv.create(folder, clear=True, with_pip=not has_pip)
    own = next(folder.glob("lib/python*/site-packages"))
    inherited = [path for path in site.getsitepackages() if Path(path).exists()]
    (own / "inherited-site-packages.pth").write_text("".join(f"{path}\n" for path in inherited))
    (own / "pip-in-the-model-folder.pth").write_text(_CHANGE_FOLDER.format(model_folder))


if __name__ == "__main__":
    make_environment(Path(sys.argv[1]), os.environ[MODEL_FOLDER])
