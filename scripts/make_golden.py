"""Write tests/golden: tiny models, and what transformers 4.57 answers where 5 has no pipeline any more.

In the project's environment (transformers 5):  python -m scripts.make_golden models
In one with transformers 4.57, torch, Pillow, sentencepiece:  python -m scripts.make_golden answers

Each folder gets `model/` and `expected.json`, a list of `{"instance", "parameters", "prediction"}`. Nothing
samples, so the answers depend on the weights alone.
"""

import base64
import io
import json
import shutil
import sys
from pathlib import Path
from typing import Any

from testbed.tiny_models import CATALOGUE, make, samples
from testbed.tiny_models.text import LONG, QUESTIONS, STORY

ROOT = Path(__file__).parents[1]
GOLDEN = ROOT / "tests" / "golden"
LARGEST = 400_000
"""Bytes of a model's folder: these are committed."""
ANSWERING: list[dict[str, Any]] = [
    {},
    {"top_k": 3},
    {"top_k": 3, "max_answer_len": 2},
    {"handle_impossible_answer": True},
    {"handle_impossible_answer": True, "top_k": 4},
    {"align_to_words": False, "top_k": 2},
    {"max_seq_len": 48, "doc_stride": 16},
    {"max_seq_len": 32, "doc_stride": 8, "top_k": 3},
    {"max_question_len": 2, "max_seq_len": 64},
]
IMPOSSIBLE = [
    {"question": "Who lives in Rome?", "context": LONG + " " + STORY},
    {"question": "Where?", "context": "  Basel,  Cologne\nand Rotterdam. "},
]
WRITING: list[dict[str, Any]] = [
    {},
    {"max_new_tokens": 8},
    {"max_length": 12, "num_beams": 1},
    {"min_length": 10, "max_length": 20, "num_beams": 3},
    {"num_beams": 2, "num_return_sequences": 2, "max_new_tokens": 10},
    {"max_new_tokens": 12, "no_repeat_ngram_size": 2, "clean_up_tokenization_spaces": True},
    {"max_new_tokens": 12, "repetition_penalty": 1.8, "clean_up_tokenization_spaces": False},
    {"truncation": True, "max_new_tokens": 6},
]
LANGUAGES = [
    {"src_lang": "eng_Latn", "tgt_lang": "deu_Latn", "max_new_tokens": 12},
    {"src_lang": "eng_Latn", "tgt_lang": "fra_Latn", "max_new_tokens": 12, "num_beams": 1},
    {"src_lang": "deu_Latn", "tgt_lang": "eng_Latn", "max_new_tokens": 12, "min_length": 8},
    {"src_lang": "fra_Latn", "tgt_lang": "deu_Latn", "max_length": 10},
]
CASES: dict[str, list[dict[str, Any]]] = {
    "question-answering": ANSWERING,
    "question-answering-roberta": ANSWERING,
    "summarization": WRITING,
    "translation": [*WRITING[1:], {"src_lang": "en", "tgt_lang": "fr", "max_new_tokens": 8}],
    "translation-nllb": LANGUAGES,
    "translation-marian": WRITING,
    "text2text-generation": WRITING[1:],
    "visual-question-answering": [{}, {"top_k": 1}, {"top_k": 3}, {"top_k": 100}],
    # The pipeline of 4.57 drops every parameter of generation here.
    "visual-question-answering-blip": [{}],
    "image-to-text": [{}, {"max_new_tokens": 5}, {"generate_kwargs": {"num_beams": 3, "max_new_tokens": 7}}],
    "image-to-text-blip": [
        {},
        {"max_new_tokens": 8},
        {"generate_kwargs": {"num_beams": 3, "max_new_tokens": 6}},
    ],
}


def write_models() -> None:
    """Build the models anew, with the files that both versions of transformers read."""
    for name in CASES:
        folder = GOLDEN / name / "model"
        shutil.rmtree(folder, ignore_errors=True)
        make(name, folder)
        # Version 5 names its extra tokens in a list that 4.57 refuses; both read the older key.
        tokenizer = folder / "tokenizer_config.json"
        settings = json.loads(tokenizer.read_text())
        if extra := settings.pop("extra_special_tokens", None):
            tokenizer.write_text(
                json.dumps({**settings, "additional_special_tokens": extra}, indent=2) + "\n"
            )
        # Version 5 keeps the image processor's settings in processor_config.json; 4.57 looks for them here.
        processor = folder / "processor_config.json"
        if processor.is_file():
            settings = json.loads(processor.read_text())["image_processor"]
            (folder / "preprocessor_config.json").write_text(json.dumps(settings, indent=2) + "\n")
        size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
        if size > LARGEST:
            raise SystemExit(f"{folder} has {size} bytes; the limit is {LARGEST}")


def write_answers() -> None:
    """Ask the pipelines of 4.57 each sample with each set of parameters."""
    import torch
    import transformers

    if not transformers.__version__.startswith("4.57."):
        raise SystemExit(f"transformers is {transformers.__version__}; the answers are those of 4.57")
    torch.manual_seed(0)
    for name, cases in CASES.items():
        pipeline = transformers.pipeline(
            CATALOGUE[name].task, model=str(GOLDEN / name / "model"), device="cpu"
        )
        instances = [*QUESTIONS, *IMPOSSIBLE] if name.startswith("question-answering") else samples(name)
        records = []
        for parameters in cases:
            for instance in instances:
                if not parameters.get("truncation") and instance == LONG:
                    continue  # longer than the model reads, and only `truncation` cuts it
                prediction = _ask(pipeline, instance, parameters)
                records.append({"instance": instance, "parameters": parameters, "prediction": prediction})
        expected = GOLDEN / name / "expected.json"
        expected.write_text(json.dumps(records, indent=1, ensure_ascii=False, default=float) + "\n")
        print(f"{expected.relative_to(ROOT)}: {len(records)} answers")  # noqa: T201


def _ask(pipeline: Any, instance: Any, parameters: dict[str, Any]) -> Any:
    from PIL import Image

    if isinstance(instance, dict) and "context" in instance:
        return pipeline(**instance, **parameters)
    if isinstance(instance, str):
        return pipeline(instance, **parameters)
    encoded = instance.get("image", instance)["b64"]
    picture = Image.open(io.BytesIO(base64.b64decode(encoded))).convert("RGB")
    if "question" in instance:
        return pipeline(image=picture, question=instance["question"], **parameters)
    return pipeline(picture, **parameters)


if __name__ == "__main__":
    {"models": write_models, "answers": write_answers}[sys.argv[1]]()
