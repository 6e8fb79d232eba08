"""Which task a folder is served for, when nobody says it."""

import json
from pathlib import Path
from typing import Any

import pytest

from testbed.tiny_models import make

CARD = "---\nlicense: mit\npipeline_tag: {}\ntags:\n- x\n---\n# A model\n\npipeline_tag: fill-mask\n"


def chosen(folder: Path, card: str | None = None, **config: Any) -> str:
    """The task of a folder with these changes."""
    from hf_handler.choice import choose_task
    from hf_handler.settings import read_settings

    if card is not None:
        (folder / "README.md").write_text(card)
    settings = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps({**settings, **config}))
    return str(choose_task(read_settings(None).task, folder))


@pytest.mark.parametrize(
    ("name", "task"),
    [
        ("text-classification", "text-classification"),
        # Labels of entailment are no proof: the model may be there to compare two texts.
        ("zero-shot-classification", "text-classification"),
        ("feature-extraction", "feature-extraction"),
        ("sentence-embeddings", "sentence-embeddings"),
        ("text2text-generation", "text2text-generation"),
        ("summarization", "text2text-generation"),
        ("translation", "translation"),
        ("translation-nllb", "translation"),
        ("translation-marian", "translation"),
        ("text-generation-gpt2", "text-generation"),
        ("image-to-text", "image-to-text"),
        ("image-to-text-blip", "image-to-text"),
        ("image-text-to-text", "image-text-to-text"),
        ("visual-question-answering-blip", "visual-question-answering"),
        ("audio-classification", "audio-classification"),
        ("automatic-speech-recognition-ctc", "automatic-speech-recognition"),
    ],
)
def test_the_model_s_own_files(name: str, task: str, tmp_path: Path) -> None:
    assert chosen(make(name, tmp_path / "model")) == task


@pytest.mark.parametrize(
    ("name", "tag", "task"),
    [
        ("zero-shot-classification", "zero-shot-classification", "zero-shot-classification"),
        ("text-ranking", "'text-ranking'", "text-ranking"),
        ("summarization", '"summarization"', "summarization"),
        ("fill-mask", "feature-extraction", "feature-extraction"),
        ("document-question-answering-donut", "document-question-answering", "document-question-answering"),
        # A card that the model can't do: it was the base model's, or it says something we don't know.
        ("text-classification", "fill-mask", "text-classification"),
        ("text-classification", "image-feature-extraction", "text-classification"),
        ("sentence-embeddings", "sentence-similarity", "sentence-embeddings"),
    ],
)
def test_the_model_card(name: str, tag: str, task: str, tmp_path: Path) -> None:
    assert chosen(make(name, tmp_path / "model"), CARD.format(tag)) == task


@pytest.mark.parametrize(
    ("name", "specific", "task"),
    [
        ("text2text-generation", {"summarization": {"num_beams": 2}}, "summarization"),
        ("text2text-generation", {"translation_en_to_fr": {"prefix": "x: "}}, "translation_en_to_fr"),
        ("text2text-generation", {"summarization": {}, "translation_en_to_fr": {}}, "text2text-generation"),
        ("text2text-generation", {"dialogue": {}}, "text2text-generation"),
        ("text-generation-gpt2", {"text-generation": {"max_length": 50}}, "text-generation"),
        # Left over from what BART was made for.
        ("zero-shot-classification", {"summarization": {}}, "text-classification"),
    ],
)
def test_parameters_of_one_task_in_the_config(name: str, specific: Any, task: str, tmp_path: Path) -> None:
    assert chosen(make(name, tmp_path / "model"), task_specific_params=specific) == task


def test_a_card_without_front_matter_says_nothing(tmp_path: Path) -> None:
    folder = make("summarization", tmp_path / "model")
    assert chosen(folder, "# A model\n\npipeline_tag: summarization\n") == "text2text-generation"


def test_the_languages_of_the_only_pair_are_used(tmp_path: Path) -> None:
    from testbed.loaded_handler import load, write_manifest

    folder = make("text2text-generation", tmp_path / "model")
    config = {"translation_en_to_fr": {"prefix": "translate English to French: ", "max_length": 12}}
    assert chosen(folder, task_specific_params=config) == "translation_en_to_fr"
    write_manifest(folder)
    send = load(folder)
    assert send.service.context.huggingface.task.languages == ("en", "fr")
