"""Sentence embeddings: real weights, and every pooling against sentence-transformers."""

import json
from pathlib import Path
from typing import Any

import pytest

from testbed.loaded_handler import load, write_manifest
from tests.integration.handlers.handler_models import (
    MINILM,
    MIXED,
    TEXTS,
    WORDS,
    predict,
    save_sentence_model,
    save_tokenizer,
)


def cosines(got: list[list[float]], expected: Any) -> list[float]:
    import torch

    return list(torch.nn.functional.cosine_similarity(torch.tensor(got), torch.as_tensor(expected)).tolist())


def test_the_same_as_mean_pooling_written_out(minilm: Any, transformers: Any) -> None:
    import torch

    tokenizer = transformers.AutoTokenizer.from_pretrained(MINILM)
    model = transformers.AutoModel.from_pretrained(MINILM)
    expected = []
    with torch.no_grad():
        for text in MIXED:
            tokens = tokenizer(text, truncation=True, max_length=256, return_tensors="pt")
            mean = model(**tokens).last_hidden_state[0].mean(dim=0)
            expected.append((mean / mean.norm()).tolist())
    got = predict(minilm, *MIXED)
    assert [len(vector) for vector in got] == [384] * 4
    assert min(cosines(got, expected)) >= 0.9999
    assert got[2] == pytest.approx(expected[2], abs=1e-5)  # cut at max_seq_length, 256 tokens


def test_the_same_as_sentence_transformers(minilm: Any) -> None:
    from sentence_transformers import SentenceTransformer

    expected = SentenceTransformer(str(MINILM), device="cpu").encode(MIXED, show_progress_bar=False)
    assert min(cosines(predict(minilm, *MIXED), expected)) >= 0.9999


def test_values_written_down(minilm: Any) -> None:
    # sentence-transformers 6.2 with torch 2.13 on a CPU.
    (vector,) = predict(minilm, "The quick brown fox jumps over the lazy dog.")
    assert vector[:5] == pytest.approx([0.043934, 0.058934, 0.048178, 0.077548, 0.026744], abs=2e-5)
    assert sum(value * value for value in vector) == pytest.approx(1, abs=1e-5)


def test_a_batch_equals_one_by_one_in_order(minilm: Any) -> None:
    together = predict(minilm, *MIXED)
    for text, vector in zip(MIXED, together, strict=True):
        assert vector == pytest.approx(predict(minilm, text)[0], abs=1e-5)


def test_every_spelling_of_a_text_gives_the_same_vector(minilm: Any) -> None:
    vectors = predict(minilm, "hi", {"text": "hi"}, {"inputs": "hi"}, {"inputs": {"text": "hi"}})
    assert all(vector == pytest.approx(vectors[0], abs=1e-6) for vector in vectors)


@pytest.mark.parametrize(
    "mode", ["cls", "max", "mean", "mean_sqrt_len_tokens", "weightedmean", "lasttoken", ["max", "cls"]]
)
@pytest.mark.parametrize("normalize", [True, False])
def test_pooling_as_the_folder_says(
    tmp_path: Path, transformers: Any, mode: str | list[str], normalize: bool
) -> None:
    from sentence_transformers import SentenceTransformer

    save_sentence_model(transformers, tmp_path, {"pooling_mode": mode}, normalize=normalize)
    expected = SentenceTransformer(str(tmp_path), device="cpu").encode(TEXTS, show_progress_bar=False)
    got = predict(load(tmp_path), *TEXTS)
    assert len(got[0]) == 16 * (1 if isinstance(mode, str) else len(mode))
    for vector, other in zip(got, expected.tolist(), strict=True):
        assert vector == pytest.approx(other, abs=1e-5)


def test_a_folder_that_sentence_transformers_saved_today(tmp_path: Path, transformers: Any) -> None:
    from sentence_transformers import SentenceTransformer

    save_sentence_model(transformers, tmp_path / "old", {"pooling_mode_lasttoken": True}, normalize=True)
    model = SentenceTransformer(str(tmp_path / "old"), device="cpu")
    model.max_seq_length = 5
    model.save(str(tmp_path / "new"), create_model_card=False)
    expected = model.encode(TEXTS, show_progress_bar=False)
    for vector, other in zip(predict(load(tmp_path / "new"), *TEXTS), expected.tolist(), strict=True):
        assert vector == pytest.approx(other, abs=1e-5)


def test_default_prompt_and_lower_case_as_the_folder_says(tmp_path: Path, transformers: Any) -> None:
    from sentence_transformers import SentenceTransformer

    save_sentence_model(transformers, tmp_path, {"pooling_mode_mean_tokens": True})
    (tmp_path / "sentence_bert_config.json").write_text('{"max_seq_length": 6, "do_lower_case": true}')
    (tmp_path / "config_sentence_transformers.json").write_text(
        '{"prompts": {"query": "query: ", "document": ""}, "default_prompt_name": "query"}'
    )
    expected = SentenceTransformer(str(tmp_path), device="cpu").encode(TEXTS, show_progress_bar=False)
    for vector, other in zip(predict(load(tmp_path), *TEXTS), expected.tolist(), strict=True):
        assert vector == pytest.approx(other, abs=1e-5)


def test_transformer_in_a_folder_of_its_own(tmp_path: Path, transformers: Any) -> None:
    modules = [{"type": "sentence_transformers.models.Transformer", "path": "0_Transformer"}]
    modules.append({"type": "sentence_transformers.models.Pooling", "path": "1_Pooling"})
    save_sentence_model(transformers, tmp_path, {"pooling_mode_cls_token": True})
    expected = predict(load(tmp_path), *TEXTS)
    inner = tmp_path / "0_Transformer"
    inner.mkdir()
    for file in [*tmp_path.glob("*.json"), *tmp_path.glob("*.safetensors")]:
        file.rename(inner / file.name)
    (tmp_path / "modules.json").write_text(json.dumps(modules))
    assert predict(load(tmp_path), *TEXTS) == expected


def test_a_module_we_do_not_do_is_refused(tmp_path: Path, transformers: Any) -> None:
    save_sentence_model(transformers, tmp_path, {"pooling_mode": "mean"}, extra="CNN")
    with pytest.raises(
        ValueError, match=r"unknown modules.*CNN; accepted: Transformer, Pooling, Dense.*fix: "
    ):
        load(tmp_path)


def test_positions_of_roberta_start_after_the_padding_index(tmp_path: Path, transformers: Any) -> None:
    config = transformers.RobertaConfig(
        vocab_size=len(WORDS), hidden_size=16, num_hidden_layers=1, num_attention_heads=2, pad_token_id=0,
        intermediate_size=32, max_position_embeddings=20,
    )  # fmt: skip
    transformers.RobertaModel(config).save_pretrained(tmp_path)
    save_tokenizer(transformers, tmp_path)
    write_manifest(tmp_path, config="handler: {task: sentence-embeddings}")
    # 20 rows in the table, one for padding: 19 tokens are left, [CLS] and [SEP] among them.
    send = load(tmp_path)
    at_limit, beyond = predict(send, "movie " * 17, "movie " * 40)
    assert beyond == pytest.approx(at_limit, abs=1e-6)
    assert predict(send, "movie " * 16)[0] != pytest.approx(at_limit, abs=1e-6)


def test_base64_holds_the_same_numbers_and_our_envelope_gets_arrays(
    tmp_path: Path, transformers: Any
) -> None:
    import base64

    import numpy

    from vertex_torchserve.serving.envelope.model_service_worker import register_envelope

    register_envelope()
    save_sentence_model(transformers, tmp_path, {"pooling_mode_mean_tokens": True}, normalize=True)
    send = load(tmp_path, envelope="instances")
    (plain,) = send({"instances": TEXTS}).answers
    (encoded,) = send({"instances": TEXTS, "parameters": {"encoding": "base64"}}).answers
    (form,) = send({"input": TEXTS, "encoding_format": "float"}).answers
    for vector, text, data in zip(plain["predictions"], encoded["predictions"], form["data"], strict=True):
        numbers = numpy.frombuffer(base64.b64decode(text), "<f4")
        assert numpy.float32(vector).tobytes() == numbers.tobytes()
        assert data["embedding"] == vector
    assert len(str(plain["predictions"][0][0])) < 13  # of a float32, not of the float64 it becomes as a list
    (refused,) = send({"instances": TEXTS, "parameters": {"encoding": "hex"}}).answers
    assert "encoding must be one of float, base64" in refused["error"]
    write_manifest(tmp_path, config="handler: {task: feature-extraction}")
    tokens = load(tmp_path, envelope="instances")
    (plain,) = tokens({"instances": TEXTS[:1]}).answers
    (encoded,) = tokens({"instances": TEXTS[:1], "parameters": {"encoding": "base64"}}).answers
    (vectors,), (texts,) = plain["predictions"][0], encoded["predictions"][0]
    for vector, text in zip(vectors, texts, strict=True):
        assert numpy.float32(vector).tobytes() == base64.b64decode(text)
