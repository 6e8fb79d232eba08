"""What making a model's environment leaves behind."""

import subprocess
import sys
from pathlib import Path

from testbed.deadlines import PROGRAM_SECONDS

MAKE_ONE = """\
import sys
from pathlib import Path

from vertex_torchserve.serving.torchserve.setup_model_venv import make_environment

make_environment(Path(sys.argv[1]), ".")
import distutils  # setuptools' own, unless something has taken its hook away

print(distutils.__file__)
"""


def test_the_process_keeps_setuptools_distutils(tmp_path: Path) -> None:
    run = subprocess.run(
        [sys.executable, "-W", "error", "-c", MAKE_ONE, str(tmp_path / "venv")],
        capture_output=True, text=True, check=False, timeout=PROGRAM_SECONDS,
    )  # fmt: skip
    assert run.returncode == 0, run.stderr
    assert Path(run.stdout.strip()).parent.name == "_distutils"
    packages = {path.name for path in tmp_path.glob("venv/lib/python*/site-packages/*")}
    assert packages == {"inherited-site-packages.pth", "pip-in-the-model-folder.pth"}  # and no pip
