"""Embeddings, similarity and ranking against sentence-transformers, on tiny seeded models."""

from pathlib import Path
from typing import Any

import pytest

from testbed.loaded_handler import load, write_manifest
from testbed.tiny_models import make, samples
from tests.integration.handlers.handler_models import assert_same


@pytest.fixture(scope="module")
def embedder(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """A model with named prompts, unit vectors of 32, and sentence-transformers on the same folder."""
    return both(tmp_path_factory.mktemp("embedder"), "sentence-embeddings")


def both(folder: Path, name: str) -> Any:
    from sentence_transformers import SentenceTransformer

    make(name, folder)
    peer = SentenceTransformer(str(folder), device="cpu")
    return load(folder, envelope=None), lambda texts, **options: peer.encode(
        texts, show_progress_bar=False, **options
    ).tolist()


def test_a_dense_layer_behind_the_pooling(tmp_path: Path) -> None:
    send, encode = both(tmp_path, "sentence-embeddings-dense")
    texts = samples("sentence-embeddings-dense")
    vectors = send({"instances": texts}).answers[0]["predictions"]
    assert_same(vectors, encode(texts))
    assert len(vectors[0]) == 16


def test_prompts_by_name(embedder: Any) -> None:
    send, encode = embedder
    texts = samples("sentence-embeddings")
    for name in ("query", "passage"):
        sent = send({"instances": texts, "parameters": {"prompt_name": name}})
        assert_same(sent.answers[0]["predictions"], encode(texts, prompt_name=name))
    refused = send({"inputs": "hi", "parameters": {"prompt_name": "title"}})
    assert refused.statuses == [400]
    assert refused.answers[0]["error"]["message"].endswith("unknown prompt_name; accepted: query, passage")


def test_dimensions_are_the_first_ones_at_unit_length(embedder: Any) -> None:
    send, encode = embedder
    short = send({"inputs": "hello", "parameters": {"dimensions": 8.0}}).answers[0]
    (expected,) = encode(["hello"], truncate_dim=8, normalize_embeddings=True)
    assert_same(short, expected)
    too_many = send({"inputs": "hello", "parameters": {"dimensions": 33}})
    assert too_many.answers[0]["error"]["message"] == "instance 0: dimensions must be at most 32, got 33"


def test_similarity_is_the_cosine(tmp_path: Path) -> None:
    from sentence_transformers import SentenceTransformer

    make("sentence-similarity", tmp_path)
    write_manifest(tmp_path, config="handler: {task: sentence-similarity}")
    peer = SentenceTransformer(str(tmp_path), device="cpu")
    instances = samples("sentence-similarity")
    answers = load(tmp_path, envelope=None)({"instances": instances}).answers[0]["predictions"]
    for instance, answer in zip(instances, answers, strict=True):
        source, *others = peer.encode([instance["source_sentence"], *instance["sentences"]])
        assert_same(answer, {"similarities": peer.similarity(source, others)[0].tolist()})
    assert answers[0]["similarities"][1] == pytest.approx(1)


def test_ranking_is_the_cross_encoders(tmp_path: Path) -> None:
    from sentence_transformers import CrossEncoder

    make("text-ranking", tmp_path / "plain")
    peer = CrossEncoder(str(tmp_path / "plain"), device="cpu")
    peer.save_pretrained(str(tmp_path / "saved"))  # which says that it is a cross-encoder
    send = load(tmp_path / "saved", envelope=None)
    for instance in samples("text-ranking"):
        query, texts = instance["query"], instance["texts"]
        scores = peer.predict([(query, text) for text in texts]).tolist()
        order = sorted(range(len(texts)), key=lambda index: -scores[index])
        ranking = [{"index": index, "score": scores[index]} for index in order]
        pairs = [[query, text] for text in texts]
        asked = {"return_documents": True, "top_k": 1}
        with_text = [{**ranking[0], "text": texts[order[0]]}]
        assert_same(send(instance).answers[0], ranking)
        assert_same(send({"inputs": instance}).answers[0], ranking)
        assert_same(send({"inputs": pairs}).answers[0], {"scores": scores})
        assert_same(send({"pairs": pairs[0]}).answers[0], {"scores": scores[:1]})
        assert_same(send({"text": query, "text_pair": texts[0]}).answers[0], {"scores": scores[:1]})
        assert_same(send({"inputs": instance, "parameters": asked}).answers[0], with_text)
