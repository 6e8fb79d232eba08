"""Which file of a model folder is the serialized one: the weights, or the TorchScript program."""

from pathlib import Path, PurePath

from vertex_torchserve.errors import Problem
from vertex_torchserve.model_archive.foreign_handler import split_foreign
from vertex_torchserve.model_archive.spec import ModelArchiveSpec

# What `save_pretrained` writes; a sharded model has an index and no single file to name.
_WELL_KNOWN = ("model.safetensors", "pytorch_model.bin")
_SHARD_INDEXES = ("model.safetensors.index.json", "pytorch_model.bin.index.json")
_SUFFIXES = frozenset(
    {".pt", ".pth", ".bin", ".safetensors", ".onnx", ".so", ".pt2", ".ckpt", ".jit", ".ts", ".torchscript"}
)
# What is no model, even when it is the one file of a folder.
_TEXTS = frozenset({".json", ".txt", ".yaml", ".yml", ".md", ".py", ".csv", ".log"})


def find_serialized_file(spec: ModelArchiveSpec, problems: list[Problem]) -> str | None:
    """The serialized file, relative to the model folder.

    Args:
        spec: What to package.
        problems: What is wrong is added here.

    Returns:
        None for a sharded model, which has no single file, for a folder that holds none with a handler file,
        which may need none, for one that holds several with another server's handler, which knows its own,
        and when a problem was added.
    """
    folder = spec.model_folder
    if not folder.is_dir():
        return None
    if spec.local_model_file:
        named = PurePath(spec.local_model_file)
        if named.is_absolute() or ".." in named.parts or not (folder / named).is_file():
            problems.append(
                Problem(
                    f"local model file {spec.local_model_file!r} is not in {folder}, which holds: "
                    f"{_listing(folder)}",
                    "correct the name of the serialized file",
                )
            )
            return None
        return named.as_posix()
    known = [name for name in _WELL_KNOWN if (folder / name).is_file()]
    sharded = any((folder / name).is_file() for name in _SHARD_INDEXES)
    files = sorted(path.name for path in folder.iterdir() if path.is_file())
    candidates = [name for name in files if Path(name).suffix in _SUFFIXES]
    if len(files) == 1 and Path(files[0]).suffix not in _TEXTS:
        candidates = files
    is_foreign, handler = split_foreign(spec.handler)
    needs_none = bool(is_foreign) or (not candidates and handler.partition(":")[0].endswith(".py"))
    if not known and not sharded and len(candidates) != 1 and not needs_none and any(folder.iterdir()):
        problems.append(
            Problem(
                f"which file of {folder} is the serialized model? "
                + (f"it could be {', '.join(candidates)}" if candidates else f"it holds: {_listing(folder)}"),
                "name it with --local-model-file (the component: local_model_file)",
            )
        )
    if known:
        return known[0]
    return candidates[0] if len(candidates) == 1 and not sharded else None


def _listing(folder: Path) -> str:
    names = sorted(path.name for path in folder.iterdir())
    return ", ".join(names[:12]) + (", ..." if len(names) > 12 else "") if names else "nothing"
