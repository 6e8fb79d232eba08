"""Faults of the serialized model."""

import json

from testbed.archive_faults.making import (
    LFS_POINTER,
    MODULE,
    SCRIPT,
    STATE_DICT,
    Fault,
    Files,
    archive_of,
    reference_archive,
    safetensors,
    torch_zip,
)

_TWO_CLASSES = "class A:\n    pass\n\n\nclass B:\n    pass\n"
_CONFIG = json.dumps({"model_type": "bert", "architectures": ["BertModel"], "vocab_size": 10})
_BERT: Files = {"config.json": _CONFIG, "tokenizer.json": "{}", "model.safetensors": safetensors()}


_MODEL_FILE = "import torch\n\n\nclass Net(torch.nn.Module):\n    pass\n"
WEIGHTS_FAULTS = [
    Fault(
        "weights-of-the-handlers-kind",
        "error",
        "w.pth",
        "can't load 'w.pth'",
        archive_of(files={"w.pth": STATE_DICT}, handler="base_handler", serializedFile="w.pth"),
    ),
    Fault(
        "weights-of-the-handlers-kind",
        "error",
        "w.pt",
        "was written by `torch.save`",
        archive_of(files={"w.pt": STATE_DICT}, handler="base_handler", serializedFile="w.pt"),
    ),
    Fault(
        "weights-of-the-handlers-kind",
        "error",
        "w.pt",
        "is a TorchScript program, and with a model file (net.py)",
        archive_of(
            files={"w.pt": SCRIPT, "net.py": _MODEL_FILE},
            handler="base_handler",
            serializedFile="w.pt",
            modelFile="net.py",
        ),
    ),
    Fault(
        "weights-of-the-handlers-kind",
        "error",
        "w.pt",
        "is a TorchScript program, and the reference handler",
        reference_archive({**_BERT, "w.pt": SCRIPT}, serializedFile="w.pt"),
    ),
    Fault(
        "weights-of-the-handlers-kind",
        "error",
        "w.bin",
        "is a pointer of Git LFS",
        archive_of(files={"w.bin": LFS_POINTER}, serializedFile="w.bin"),
    ),
    Fault(
        "pickle-holds-tensors-only",
        "error",
        "w.pth",
        "loads more than tensors: torch.nn.modules.linear.Linear",
        archive_of(
            files={"w.pth": MODULE, "net.py": _MODEL_FILE},
            handler="base_handler",
            serializedFile="w.pth",
            modelFile="net.py",
        ),
    ),
    Fault(
        "pickle-holds-tensors-only",
        "warning",
        "w.pth",
        "loads more than tensors: os.system",
        archive_of(
            files={"w.pth": torch_zip(b"\x80\x04\x8c\x02os\x8c\x06system\x93.")}, serializedFile="w.pth"
        ),
    ),
    Fault(
        "pickle-holds-tensors-only",
        "note",
        "w.pth",
        "which was not read to its end",
        archive_of(
            files={"w.pth": torch_zip(b"\x80\x02" + b"]0" * (1 << 19) + b"N.")}, serializedFile="w.pth"
        ),
    ),
    Fault(
        "model-file-has-one-class",
        "error",
        "net.py:5",
        "defines 2 classes (A, B)",
        archive_of(
            files={"w.pth": STATE_DICT, "net.py": _TWO_CLASSES},
            handler="base_handler",
            serializedFile="w.pth",
            modelFile="net.py",
        ),
    ),
    Fault(
        "shards-complete",
        "error",
        "model.safetensors.index.json",
        "names 2 files, of which 1 are not there: b.safetensors",
        archive_of(
            files={
                "model.safetensors.index.json": json.dumps(
                    {"weight_map": {"x": "a.safetensors", "y": "b.safetensors"}}
                ),
                "a.safetensors": safetensors(),
            }
        ),
    ),
    Fault(
        "safetensors-whole",
        "error",
        "w.safetensors",
        "has 3 bytes of tensors; its header says 4",
        archive_of(files={"w.safetensors": safetensors(cut=1)}),
    ),
    Fault(
        "safetensors-whole",
        "error",
        "w.safetensors",
        "F32 of [1] takes 4",
        archive_of(files={"w.safetensors": safetensors(size=5)}),
    ),
    Fault(
        "safetensors-whole",
        "error",
        "w.safetensors",
        "it is cut off, or no safetensors",
        archive_of(files={"w.safetensors": b"weights, they said"}),
    ),
    Fault(
        "weights-type",
        "warning",
        "w.safetensors",
        "64-bit floating point",
        archive_of(files={"w.safetensors": safetensors("F64", 8)}),
    ),
    Fault(
        "weights-type",
        "warning",
        "w.pt",
        "is a TorchScript program in 16-bit",
        archive_of(
            files={"w.pt": torch_zip(b"\x80\x02ctorch\nHalfStorage\n.", "constants.pkl")},
            serializedFile="w.pt",
        ),
    ),
]
