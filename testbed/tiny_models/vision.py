"""Models that see: classes of an image, of given names, of boxes and of regions."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from .media import image
from .text import HIDDEN, SHAPE, labels
from .tiny_model import TinyModel
from .vocabulary import byte_pairs
from .weights import save

SIDE = 32
SQUARE = {"height": SIDE, "width": SIDE}
ANIMALS = ["cat", "dog", "bird", "fish"]
REGIONS = ["wall", "window", "road", "tree", "sky"]
NORMAL = {"image_mean": [0.5, 0.5, 0.5], "image_std": [0.5, 0.5, 0.5]}
CLIP_SPECIAL = ["<|startoftext|>", "<|endoftext|>"]


def vit(folder: Path, seed: int) -> None:
    import transformers

    settings = transformers.ViTConfig(image_size=SIDE, patch_size=8, **SHAPE, **labels(ANIMALS))
    kind = transformers.ViTForImageClassification
    processor = transformers.ViTImageProcessorPil(size=SQUARE, **NORMAL)
    save(folder, seed, lambda: _sharp(kind(settings), "classifier.weight", by=3.0), processor)


def clip(folder: Path, seed: int) -> None:
    """Text and image towers of 32 values, and the processor of both."""
    import transformers

    vocabulary, merges = byte_pairs(CLIP_SPECIAL, suffix="</w>")
    tokenizer = transformers.CLIPTokenizerFast(vocab=vocabulary, merges=merges, model_max_length=48)
    layers = {
        "num_hidden_layers": 2,
        "num_attention_heads": 2,
        "intermediate_size": 64,
        "hidden_size": HIDDEN,
    }
    settings = transformers.CLIPConfig(
        text_config={
            "vocab_size": len(tokenizer), "max_position_embeddings": 48, "bos_token_id": 0,
            "eos_token_id": 1, "pad_token_id": 1, "initializer_factor": 4.0, **layers,
        },
        vision_config={"image_size": SIDE, "patch_size": 8, "initializer_factor": 4.0, **layers},
        projection_dim=16, initializer_factor=4.0, logit_scale_init_value=1.6,
    )  # fmt: skip
    processor = transformers.CLIPProcessor(
        transformers.CLIPImageProcessorPil(size={"shortest_edge": SIDE}, crop_size=SQUARE), tokenizer
    )
    save(folder, seed, lambda: transformers.CLIPModel(settings), processor)


def detr(folder: Path, seed: int) -> None:
    """A DETR on a ResNet of transformers' own, so that timm isn't needed."""
    import transformers

    backbone = transformers.ResNetConfig(
        embedding_size=8, hidden_sizes=[8, 8, 16, 16], depths=[1, 1, 1, 1], layer_type="basic",
        out_features=["stage4"],
    )  # fmt: skip
    settings = transformers.DetrConfig(
        backbone_config=backbone, use_timm_backbone=False, use_pretrained_backbone=False, num_queries=6,
        d_model=HIDDEN, encoder_layers=1, decoder_layers=1, encoder_attention_heads=2,
        decoder_attention_heads=2, encoder_ffn_dim=64, decoder_ffn_dim=64, init_std=0.3, init_xavier_std=1.0,
        **labels(ANIMALS),
    )  # fmt: skip
    processor = transformers.DetrImageProcessorPil(size={"shortest_edge": 64, "longest_edge": 96})

    def build() -> Any:
        model = transformers.DetrForObjectDetection(settings)
        _sharp(model, "model.query_position_embeddings.weight", by=10.0)  # or every query finds the same
        return _sharp(model, "class_labels_classifier.weight", by=4.0)

    save(folder, seed, build, processor)


def yolos(folder: Path, seed: int) -> None:
    import transformers

    settings = transformers.YolosConfig(
        image_size=[64, 96], patch_size=16, num_detection_tokens=6, **SHAPE, **labels(ANIMALS)
    )
    processor = transformers.YolosImageProcessorPil(size={"shortest_edge": 64, "longest_edge": 96})

    def build() -> Any:
        model = transformers.YolosForObjectDetection(settings)
        model.get_parameter("vit.embeddings.detection_tokens").data.normal_(std=2.0)
        return _sharp(model, "class_labels_classifier.layers.2.weight", by=2.0)

    save(folder, seed, build, processor)


def segformer(folder: Path, seed: int) -> None:
    import transformers

    settings = transformers.SegformerConfig(
        depths=[1, 1], num_encoder_blocks=2, sr_ratios=[2, 1], hidden_sizes=[8, 16], patch_sizes=[7, 3],
        strides=[4, 2], num_attention_heads=[1, 2], mlp_ratios=[2, 2], decoder_hidden_size=16,
        initializer_range=0.3, **labels(REGIONS),
    )  # fmt: skip
    processor = transformers.SegformerImageProcessorPil(size={"height": 64, "width": 64})
    kind = transformers.SegformerForSemanticSegmentation
    save(folder, seed, lambda: _sharp(kind(settings), "decode_head.classifier.weight", by=6.0), processor)


def maskformer(folder: Path, seed: int) -> None:
    """A MaskFormer on a small ResNet: instance, panoptic and semantic segmentation."""
    import transformers

    backbone = transformers.ResNetConfig(
        embedding_size=8, hidden_sizes=[8, 8, 16, 16], depths=[1, 1, 1, 1], layer_type="basic",
        out_features=["stage1", "stage2", "stage3", "stage4"],
    )  # fmt: skip
    decoder = transformers.DetrConfig(
        num_queries=6, d_model=HIDDEN, decoder_layers=1, encoder_layers=1, decoder_attention_heads=2,
        decoder_ffn_dim=64, encoder_ffn_dim=64, backbone_config=backbone,
    )  # fmt: skip
    settings = transformers.MaskFormerConfig(
        backbone_config=backbone, decoder_config=decoder, fpn_feature_size=32, mask_feature_size=32,
        init_std=0.3, init_xavier_std=2.0, **labels(REGIONS),
    )  # fmt: skip
    processor = transformers.MaskFormerImageProcessorPil(
        size={"shortest_edge": 64, "longest_edge": 96}, size_divisor=32
    )

    def build() -> Any:
        model = transformers.MaskFormerForInstanceSegmentation(settings)
        _sharp(model, "model.transformer_module.queries_embedder.weight", by=10.0)
        return _sharp(model, "class_predictor.weight", by=4.0)

    save(folder, seed + 5, build, processor)  # with many a seed it finds one region only, or none


def _sharp(model: Any, head: str, by: float) -> Any:
    """Multiply one head: detection reports only what is surer than a threshold."""
    model.get_parameter(head).data.mul_(by)
    return model


IMAGES = [image(1), image(2, 80, 60, "JPEG"), image(3, 33, 64)]


def _model(task: str, auto_class: str, build: Callable[[Path, int], None], **fields: Any) -> TinyModel:
    return TinyModel(task, auto_class, build, IMAGES, packages=("pillow",), **fields)


MODELS = {
    "image-classification": _model("image-classification", "AutoModelForImageClassification", vit),
    "zero-shot-image-classification": _model(
        "zero-shot-image-classification",
        "AutoModelForZeroShotImageClassification",
        clip,
        parameters={"candidate_labels": ["a cat", "a red bike", "the sea"]},
    ),
    "object-detection": _model("object-detection", "AutoModelForObjectDetection", detr),
    "object-detection-yolos": _model("object-detection", "AutoModelForObjectDetection", yolos),
    "image-segmentation": _model("image-segmentation", "AutoModelForSemanticSegmentation", segformer),
    "image-segmentation-maskformer": _model(
        "image-segmentation", "AutoModelForInstanceSegmentation", maskformer, parameters={"threshold": 0.3}
    ),
}
