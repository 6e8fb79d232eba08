"""Which task a model is for: the one the operator set, else the one the model's own files tell."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from hf_handler.archive import read_json, sentence_modules
from hf_handler.registry import TASKS, canonical

# The end of an architecture's name in config.json, and the task such a model is for; the first that fits wins
ARCHITECTURES = {
    "ForTokenClassification": "token-classification",
    "LayoutLMForQuestionAnswering": "document-question-answering",
    "LayoutLMv2ForQuestionAnswering": "document-question-answering",
    "LayoutLMv3ForQuestionAnswering": "document-question-answering",
    "ViltForQuestionAnswering": "visual-question-answering",
    "BlipForQuestionAnswering": "visual-question-answering",
    "TapasForQuestionAnswering": "table-question-answering",
    "ForQuestionAnswering": "question-answering",
    "ForMaskedLM": "fill-mask",
    "ForImageClassification": "image-classification",
    "ForObjectDetection": "object-detection",
    "ForSemanticSegmentation": "image-segmentation",
    "ForInstanceSegmentation": "image-segmentation",
    "ForUniversalSegmentation": "image-segmentation",
    "ForSegmentation": "image-segmentation",
    "Wav2Vec2ForSequenceClassification": "audio-classification",
    "HubertForSequenceClassification": "audio-classification",
    "WavLMForSequenceClassification": "audio-classification",
    "ForAudioClassification": "audio-classification",
    "ASTForAudioClassification": "audio-classification",
    "ForSequenceClassification": "text-classification",
    "WhisperForConditionalGeneration": "automatic-speech-recognition",
    "Speech2TextForConditionalGeneration": "automatic-speech-recognition",
    "ForSpeechSeq2Seq": "automatic-speech-recognition",
    "ForCTC": "automatic-speech-recognition",
    "MarianMTModel": "translation",
    "M2M100ForConditionalGeneration": "translation",
    "PegasusForConditionalGeneration": "summarization",
    "BlipForConditionalGeneration": "image-to-text",
    "VisionEncoderDecoderModel": "image-to-text",
    "ForCausalLM": "text-generation",
    "LMHeadModel": "text-generation",
    "CLIPModel": "zero-shot-image-classification",
    "SiglipModel": "zero-shot-image-classification",
    "Siglip2Model": "zero-shot-image-classification",
    "AltCLIPModel": "zero-shot-image-classification",
}


# By its architecture a model is for the first task; it may be meant for one of the others, which use the same
# head. Then its card or config says so (`hints`).
SAME_HEAD = {
    "text-classification": ("zero-shot-classification", "text-ranking"),
    "text2text-generation": ("summarization", "translation"),
    "fill-mask": ("feature-extraction",),
    "image-to-text": ("document-question-answering",),
}


def choose_task(named: str | None, folder: Path) -> str:
    """Return the task that the operator named, else the one the model's own files tell.

    Args:
        named: `handler.task`; None when it isn't set.
        folder: Of the model.

    Returns:
        The name as it is written there: `translation_en_to_de` holds the languages.

    Raises:
        ValueError: The operator named an unknown task, or the files tell none.
    """
    if named is not None:
        canonical(named)
        return named
    if "Pooling" in dict(sentence_modules(folder)):
        return "sentence-embeddings"
    config = read_json(folder / "config.json")
    if is_cross_encoder(folder, config):
        return "text-ranking"
    told = told_by_architecture(folder, config)
    for hint in hints(folder, config):
        try:
            name = canonical(hint)
        except ValueError:
            continue
        if told is None or name in SAME_HEAD.get(told, ()):
            return hint
    if told is not None:
        return told
    accepted = ", ".join(sorted(TASKS))
    raise ValueError(
        f"the model tells no task: no Pooling module, architectures {config.get('architectures') or []}; "
        f"accepted tasks: {accepted}; fix: set handler.task in model-config.yaml to one of them"
    )


def told_by_architecture(folder: Path, config: Mapping[str, Any]) -> str | None:
    """Return the task that the config's `architectures` tell; None when they tell none.

    Args:
        folder: Of the model.
        config: Its config.json.
    """
    for architecture in config.get("architectures") or []:
        for ending, name in ARCHITECTURES.items():
            if architecture.endswith(ending):
                return name
        if architecture.endswith("ForConditionalGeneration"):
            return "image-text-to-text" if "vision_config" in config else "text2text-generation"
        if architecture.endswith("Model") and (folder / "tokenizer_config.json").is_file():
            return "feature-extraction"  # a model of text without a head
    return None


def hints(folder: Path, config: Mapping[str, Any]) -> Iterator[str]:
    """Yield other names of tasks that a model's files hold.

    Args:
        folder: Of the model; its README.md may name a `pipeline_tag`.
        config: Its config.json, which may have `task_specific_params` for one task.
    """
    card = folder / "README.md"
    text = card.read_text(encoding="utf-8", errors="replace") if card.is_file() else ""
    if text.startswith("---"):
        for line in text.split("---", 2)[1].splitlines():
            key, _, value = line.partition(":")
            if key == "pipeline_tag":
                yield value.strip().strip("'\"")
    specific = list(config.get("task_specific_params") or ())
    if len(specific) == 1:
        yield specific[0]
    elif specific and all(name.startswith("translation_") for name in specific):
        yield "translation"


def is_cross_encoder(folder: Path, config: Mapping[str, Any]) -> bool:
    """Say whether sentence-transformers' `CrossEncoder` wrote a model's folder."""
    named = read_json(folder / "config_sentence_transformers.json").get("model_type") == "CrossEncoder"
    return named or ("sentence_transformers" in config and any(
        name.endswith("ForSequenceClassification") for name in config.get("architectures") or []
    ))  # fmt: skip
