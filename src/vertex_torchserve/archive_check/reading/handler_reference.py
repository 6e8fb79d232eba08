"""Which handler a manifest names, as TorchServe's `model_loader.py` (0.12) looks for it."""

from collections.abc import Collection
from dataclasses import dataclass

from vertex_torchserve.packaged_files import (
    ADAPTER_FILES,
    ADAPTER_PACKAGE,
    REFERENCE_HANDLER_FILE,
    REFERENCE_HANDLER_PACKAGE,
)

# The modules of `ts.torch_handler` that are handlers.
TORCHSERVE_HANDLERS = frozenset(
    {
        "base_handler",
        "dali_image_classifier",
        "densenet_handler",
        "image_classifier",
        "image_segmenter",
        "object_detector",
        "text_classifier",
        "trt_llm_handler",
        "vllm_handler",
    }
)
# What handlers that were written for other servers define.
ENDPOINT_CLASS = "EndpointHandler"
PIPELINE_CLASS = "PreTrainedPipeline"
SAGEMAKER_FUNCTIONS = ("model_fn", "input_fn", "predict_fn", "output_fn", "transform_fn")


@dataclass(frozen=True)
class HandlerReference:
    """A handler, as it is named and as it is found.

    Attributes:
        named: What the manifest says.
        module: The module that TorchServe imports for it: of a path its last part, without `.py`.
        function: What it takes from that module; None: `handle`, or else the one class.
        member: The member it is; None when it is none.
        is_built_in: Whether it is one of TorchServe's own.
    """

    named: str
    module: str
    function: str | None
    member: str | None
    is_built_in: bool

    @classmethod
    def of(cls, named: str, names: Collection[str]) -> "HandlerReference":
        """Look for a handler.

        Args:
            named: What the manifest says.
            names: Of the archive's members.
        """
        file, colon, function = named.partition(":")
        module = file.removesuffix(".py").rpartition("/")[2]
        candidates = (f"{module}.py", f"{module}/__init__.py")
        member = next((name for name in candidates if name in names), None)
        built_in = member is None and module in TORCHSERVE_HANDLERS and module == named
        return cls(named, module, function if colon else None, member, built_in)

    @property
    def is_reference(self) -> bool:
        """Whether it is this project's handler for models of Hugging Face."""
        return self.member == REFERENCE_HANDLER_FILE

    @property
    def adapted(self) -> str | None:
        """The server that it is the adapter for, as `package --handler` names it; None: for none."""
        return next((kind for kind, file in ADAPTER_FILES.items() if file == self.member), None)

    def is_of_this_project(self, member: str) -> bool:
        """Whether a member is a file of the reference handler, or of the adapter."""
        package = REFERENCE_HANDLER_PACKAGE if self.is_reference else ADAPTER_PACKAGE if self.adapted else ""
        return bool(package) and (member == self.member or member.startswith(f"{package}/"))
