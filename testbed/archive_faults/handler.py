"""Faults of the handler."""

import json

from testbed.archive_faults.foreign_handler import FOREIGN_HANDLER_FAULTS
from testbed.archive_faults.making import SCRIPT, Fault, Files, archive_of, reference_archive, safetensors
from testbed.archives import ECHO_HANDLER

_CONFIG = json.dumps({"model_type": "bert", "architectures": ["BertModel"], "vocab_size": 10})
_BERT: Files = {"config.json": _CONFIG, "tokenizer.json": "{}", "model.safetensors": safetensors()}


_TWO_CLASSES = "class A:\n    pass\n\n\nclass B:\n    pass\n"
_ENDPOINT = """\
class EndpointHandler:
    def __init__(self, path=''):
        pass

    def __call__(self, data):
        pass
"""
_OLDER = _ENDPOINT.replace("EndpointHandler", "PreTrainedPipeline")
_ROWS = """\
def handle(data, context):
    if data is not None:
        return [len(row.get("data") or row.get("body")) for row in data]
"""
HANDLER_FAULTS = [
    Fault(
        "handler-reads-rows",
        "warning",
        "handler.py:3",
        "reads the `body` of TorchServe's rows, and gets the instances",
        archive_of(_ROWS),
    ),
    Fault(
        "handler-named",
        "error",
        "handler.v2.py",
        "Python takes the dot in 'handler.v2' for a package",
        archive_of(None, {"handler.v2.py": ECHO_HANDLER}, handler="handler.v2.py"),
    ),
    Fault(
        "handler-named",
        "error",
        "code/main.py",
        "looked for as main.py at the archive's root, and lies in code/main.py",
        archive_of(files={"code/main.py": ECHO_HANDLER}, handler="code/main.py"),
    ),
    Fault(
        "handler-named",
        "error",
        "MAR-INF/MANIFEST.json",
        "'bert' is neither a file of the archive nor one of",
        archive_of(handler="bert"),
    ),
    Fault(
        "handler-syntax",
        "error",
        "handler.py:1",
        "line 1: '(' was never closed",
        archive_of("def handle(data, context:\n"),
    ),
    Fault(
        "handler-syntax",
        "error",
        "handler.py:3",
        "'utf-8' codec can't decode",
        archive_of(files={"handler.py": b"\n\n# \xe9\n"}),
    ),
    Fault(
        "handler-syntax",
        "error",
        "beside.py:2",
        "beside.py, line 2: invalid syntax",
        archive_of(f"import beside\n{ECHO_HANDLER}", {"beside.py": "x = 1\ny = = 1\n"}),
    ),
    Fault(
        "handler-entry-point",
        "error",
        "handler.py:1",
        "names 'Main', which is a class",
        archive_of("class Main:\n    def handle(self, d, c):\n        pass\n", handler="handler.py:Main"),
    ),
    Fault(
        "handler-entry-point",
        "error",
        "handler.py",
        "defines no function 'go'",
        archive_of(handler="handler.py:go"),
    ),
    Fault(
        "handler-entry-point",
        "error",
        "handler.py",
        "defines 2 classes (A, B) and no `handle`",
        archive_of(_TWO_CLASSES),
    ),
    Fault(
        "handler-entry-point",
        "error",
        "handler.py:1",
        "is a handler of another server, such as",
        archive_of(_ENDPOINT),
    ),
    Fault(
        "handler-entry-point",
        "error",
        "handler.py:1",
        "A, its one class, has no initialize and no handle",
        archive_of("class A:\n    pass\n"),
    ),
    Fault(
        "handler-entry-point",
        "error",
        "handler.py:1",
        "A, its one class, has no initialize",
        archive_of("class A(object):\n    def handle(self, data, context):\n        return data\n"),
    ),
    Fault(
        "handler-relative-import",
        "error",
        "handler.py:1",
        "`from .net import ...`: the handler is no part of a package",
        archive_of(f"from .net import Net\n{ECHO_HANDLER}", {"net.py": "class Net: ...\n"}),
    ),
    Fault(
        "handler-imports",
        "error",
        "handler.py:1",
        "imports sibling, which is not in the archive",
        archive_of(f"import sibling\n{ECHO_HANDLER}"),
    ),
    Fault(
        "handler-imports",
        "error",
        "handler.py:1",
        "imports sibling, which is looked for at the archive's root and lies in src/",
        archive_of(f"import sibling\n{ECHO_HANDLER}", {"src/sibling.py": ""}),
    ),
    Fault(
        "handler-imports",
        "error",
        "beside.py:1",
        "imports cv2, which is not in the archive, the serving image or",
        archive_of(f"import beside\n{ECHO_HANDLER}", {"beside.py": "import cv2\n"}),
    ),
    Fault(
        "handler-imports",
        "error",
        "handler.py:1",
        "imports net.layers, and the archive's net/ holds no layers.py",
        archive_of(f"from net.layers import L\n{ECHO_HANDLER}", {"net/__init__.py": ""}),
    ),
    Fault(
        "handler-imports",
        "warning",
        "handler.py:2",
        "imports cv2",
        archive_of("def handle(data, context):\n    import cv2\n    return cv2.imread(data)\n"),
    ),
    Fault(
        "handler-imports",
        "warning",
        "handler.py:1",
        "imports sklearn",
        archive_of(f"import sklearn\n{ECHO_HANDLER}", {"r.txt": "setfit==1.1.3\n"}, requirementsFile="r.txt"),
    ),
    Fault(
        "module-hides-another",
        "error",
        "packaging.py",
        "would hide the module 'packaging' of packaging",
        archive_of(files={"packaging.py": ""}),
    ),
    Fault(
        "module-hides-another",
        "error",
        "tqdm.py",
        "would hide the module 'tqdm' of tqdm",
        archive_of(files={"tqdm.py": ""}),
    ),
    Fault(
        "module-hides-another",
        "error",
        "json.py",
        "would hide Python's own module 'json'",
        archive_of(files={"json.py": ""}),
    ),
    Fault(
        "module-hides-another",
        "error",
        "torch/__init__.py",
        "would hide the module 'torch' of torch",
        archive_of(files={"torch/__init__.py": ""}),
    ),
    Fault(
        "async-handler",
        "error",
        "handler.py:1",
        "`async def handle` without `asyncCommunication: true`",
        archive_of("async def handle(data, context):\n    return data\n"),
    ),
    Fault(
        "async-handler",
        "error",
        "handler.py:4",
        "`async def handle` without `asyncCommunication: true`",
        archive_of(
            "class A:\n    def initialize(self, context):\n        pass\n    async def handle(self, data, "
            "context):\n        pass\n"
        ),
    ),
    Fault(
        "async-handler",
        "warning",
        "handler.py:1",
        "`asyncCommunication: true`, and `def handle` is not async",
        archive_of(config="asyncCommunication: true\n"),
    ),
    Fault(
        "built-in-handler-libraries",
        "error",
        "MAR-INF/MANIFEST.json",
        "image_classifier imports captum and torchvision, which the serving image lacks",
        archive_of(files={"w.pt": SCRIPT}, handler="image_classifier", serializedFile="w.pt"),
    ),
    Fault(
        "folder-has-its-own-handler",
        "error",
        "handler.py",
        "the folder's own handler.py (EndpointHandler) is not run",
        reference_archive({**_BERT, "handler.py": _ENDPOINT}),
    ),
    Fault(
        "folder-has-its-own-handler",
        "warning",
        "handler.py",
        "the folder's own handler.py (no class) is not run",
        reference_archive({**_BERT, "handler.py": ECHO_HANDLER}),
    ),
    Fault(
        "folder-has-its-own-handler",
        "error",
        "pipeline.py",
        "the folder's own pipeline.py (PreTrainedPipeline) is not run",
        reference_archive({**_BERT, "pipeline.py": _OLDER}),
    ),
    *FOREIGN_HANDLER_FAULTS,
]
