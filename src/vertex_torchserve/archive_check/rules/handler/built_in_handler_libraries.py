"""What TorchServe's own handlers import."""

from collections.abc import Iterator

from vertex_torchserve.archive_check.finding import Finding, error
from vertex_torchserve.archive_check.package_names import names_module
from vertex_torchserve.archive_check.rule import rule
from vertex_torchserve.archive_check.subject import Subject

# What `ts/torch_handler/` of TorchServe 0.12 imports at the top, beyond what TorchServe needs itself.
LIBRARIES = {
    "base_handler": (),
    "dali_image_classifier": ("captum",),
    "densenet_handler": (),
    "image_classifier": ("captum", "torchvision"),
    "image_segmenter": ("captum", "torchvision"),
    "object_detector": ("captum", "torchvision"),
    "text_classifier": ("captum",),
    "trt_llm_handler": ("tensorrt_llm",),
    "vllm_handler": ("vllm",),
}
_PACKAGES = {"tensorrt_llm": "tensorrt-llm"}


@rule
def built_in_handler_libraries(subject: Subject) -> Iterator[Finding]:
    """The libraries that one of TorchServe's own handlers needs are in the image or among the requirements.

    `image_classifier`, `image_segmenter` and `object_detector` import torchvision and captum,
    `text_classifier` captum. Without them the worker dies, and the log's first line blames the handler's
    name.

    Fix: name them in a requirements file, torchvision in the version that belongs to the image's torch.
    """
    handler = subject.handler
    if handler is None or not handler.is_built_in:
        return
    missing = [
        module
        for module in LIBRARIES.get(handler.module, ())
        if not subject.image.has(module)
        and not any(
            names_module(name, module) or name == _PACKAGES.get(module) for name in subject.requirements.names
        )
    ]
    if missing:
        packages = " and ".join(_PACKAGES.get(module, module) for module in missing)
        yield error(
            "MAR-INF/MANIFEST.json",
            f"TorchServe's own {handler.named} imports {' and '.join(missing)}, which {subject.image.name} "
            "lacks and "
            "no requirements file names",
            f"name {packages} in the requirements file",
            depends_on_image=True,
        )
