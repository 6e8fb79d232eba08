"""Lay out a TorchServe home with our envelope: links to the installed TorchServe, and two files of ours.

TorchServe imports `service_envelope=NAME` from inside its own package, and runs the file
`ts/model_service_worker.py` beneath `model_server_home` as the worker. A home of our own puts our worker
there, so nothing is written where Python packages are installed (docs/decisions/0002). The other file makes
the virtual environment of a model with requirements.
"""

from pathlib import Path

from vertex_torchserve.errors import InputError, Problem, ServingError

_WORKER = "model_service_worker.py"
_VENV = "setup_model_venv.py"


def lay_out_home(home: Path, site_packages: Path) -> Path:
    """Make the folder to start TorchServe with as `-Dmodel_server_home`.

    Args:
        home: Created; must not exist. A private folder of this server, so that servers started at the
            same time, or by different versions of this package, don't share it.
        site_packages: The folder that holds the installed package `ts`.

    Returns:
        `home`.

    Raises:
        InputError: `site_packages` holds no TorchServe.
        ServingError: The folder could not be written.
    """
    torchserve = site_packages / "ts"
    if not (torchserve / _WORKER).is_file():
        raise InputError(
            Problem(
                f"{torchserve} holds no {_WORKER}, so it is not TorchServe",
                "pip install 'vertex-torchserve[torchserve]'",
            )
        )
    try:
        _link(torchserve, home / "ts", {_WORKER: Path(__file__).with_name(_WORKER)})
        (home / "ts" / "utils").unlink()
        _link(
            torchserve / "utils",
            home / "ts" / "utils",
            {_VENV: Path(__file__).parents[1] / "torchserve" / _VENV},
        )
    except OSError as error:
        raise ServingError(
            f"the folder {home} for TorchServe's worker could not be laid out: {error.strerror}",
            "give the server an empty, writable temporary folder (TMPDIR)",
        ) from error
    return home


def _link(source: Path, target: Path, own: dict[str, Path]) -> None:
    """Make the folder `target`: links to the entries of `source`, and to `own` in place of those named so."""
    target.mkdir(parents=True)
    for entry in source.iterdir():
        # Without __init__.py this `ts` never shadows the installed package.
        if entry.name not in {*own, "__init__.py", "__pycache__"}:
            (target / entry.name).symlink_to(entry)
    for name, file in own.items():
        (target / name).symlink_to(file.resolve())
