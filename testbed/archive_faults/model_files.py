"""Faults of the other files of a model."""

import json

from testbed.archive_faults.making import (
    LFS_POINTER,
    STATE_DICT,
    Fault,
    Files,
    reference_archive,
    safetensors,
)

_CONFIG = json.dumps({"model_type": "bert", "architectures": ["BertModel"], "vocab_size": 10})
_BERT: Files = {"config.json": _CONFIG, "tokenizer.json": "{}", "model.safetensors": safetensors()}
_PIECES: Files = {"config.json": _CONFIG, "spiece.model": "", "model.safetensors": safetensors()}

MODEL_FILE_FAULTS = [
    Fault(
        "model-described",
        "error",
        "config.json",
        "there is no config.json",
        reference_archive({"w.bin": STATE_DICT}, serializedFile="w.bin"),
    ),
    Fault(
        "model-described",
        "error",
        "model.safetensors",
        "no weights beside",
        reference_archive({"config.json": _CONFIG, "tokenizer.json": "{}"}),
    ),
    Fault(
        "tokenizer-there",
        "error",
        "tokenizer.json",
        "there is no tokenizer beside config.json (bert)",
        reference_archive({"config.json": _CONFIG, "model.safetensors": safetensors()}),
    ),
    Fault(
        "onnx-file-there",
        "error",
        "model-config.yaml",
        "model.onnx or onnx/model.onnx, and isn't there; the archive has onnx/model_O2.onnx",
        reference_archive({**_BERT, "onnx/model_O2.onnx": b"x"}, config="handler: {engine: onnxruntime}\n"),
    ),
    Fault(
        "onnx-file-there",
        "warning",
        "onnx/model.onnx",
        "is a pointer of Git LFS",
        reference_archive({**_BERT, "onnx/model.onnx": LFS_POINTER}),
    ),
    Fault(
        "model-libraries",
        "error",
        "requirements.txt:2",
        "accepts sentencepiece 0.2.3, with which a tokenizer without tokenizer.json takes protobuf 7",
        reference_archive(
            {**_PIECES, "requirements.txt": "numpy==2.4.6\nsentencepiece==0.2.3\n"},
            requirementsFile="requirements.txt",
        ),
    ),
    Fault(
        "model-libraries",
        "error",
        "qwen.tiktoken",
        "takes tiktoken",
        reference_archive({"config.json": _CONFIG, "qwen.tiktoken": "", "model.safetensors": safetensors()}),
    ),
    Fault(
        "model-libraries",
        "error",
        "config.json",
        "the model TapasForQuestionAnswering takes pandas",
        reference_archive(
            {**_BERT, "config.json": json.dumps({"architectures": ["TapasForQuestionAnswering"]})}
        ),
    ),
    Fault(
        "model-libraries",
        "error",
        "adapter_config.json",
        "an adapter takes peft",
        reference_archive({**_BERT, "adapter_config.json": "{}"}),
    ),
    Fault(
        "model-libraries",
        "error",
        "model-config.yaml",
        "handler.device_map takes accelerate",
        reference_archive(_BERT, config="handler: {device_map: auto}\n"),
    ),
    Fault(
        "model-libraries",
        "error",
        "config.json",
        "a model with quantized weights takes accelerate",
        reference_archive(
            {**_BERT, "config.json": json.dumps({"quantization_config": {"load_in_4bit": True}})}
        ),
    ),
    Fault(
        "model-libraries",
        "error",
        "video_preprocessor_config.json",
        "takes torchvision",
        reference_archive({**_BERT, "video_preprocessor_config.json": "{}"}),
    ),
    Fault(
        "model-libraries",
        "error",
        "config.json",
        "a backbone of timm takes timm",
        reference_archive({**_BERT, "config.json": json.dumps({"use_timm_backbone": True})}),
    ),
]
