"""sentence-embeddings: one vector a text, as sentence-transformers gives it."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy
import torch

from hf_handler.archive import read_json, sentence_modules
from hf_handler.arrays import BASE64, ENCODING, in_base64
from hf_handler.interface import Interface
from hf_handler.items import Item, Query
from hf_handler.kinds.encoder import EncoderTask
from hf_handler.request_forms.embeddings import Embeddings
from hf_handler.schema import (
    COUNT,
    FLAG,
    INPUT_LABEL,
    INPUT_TEXT,
    SCORE,
    TEXT,
    Refused,
    Schema,
    list_of,
    or_several,
    record,
)
from hf_handler.text.pooling import POOLING, pooling_modes
from hf_handler.text.reading_parameters import READING, READING_ALIASES
from hf_handler.text.token_rows import TokenRows
from hf_handler.text.tokens import load_tokenizer, tokenize
from hf_handler.toolkit_shape import Shape

VECTOR: Schema = list_of(SCORE)
ENCODED = [VECTOR, TEXT]


class SentenceEmbeddings(EncoderTask):
    """One vector a text, as sentence-transformers gives: by its Pooling, Dense and Normalize, or the mean."""

    name = "sentence-embeddings"
    auto_class = "AutoModel"
    may_miss = (
        "pooler.",
    )  # of BERT and its kin: no part of the token vectors, and masked-LM checkpoints lack it
    interface = Interface(
        fields={"text": or_several(INPUT_TEXT)},
        several=("text",),
        parameters={
            "normalize": FLAG,
            "dimensions": COUNT,
            "prompt_name": INPUT_LABEL,
            "encoding": ENCODING,
            **READING,
        },
        aliases={
            "sentences": "text",
            "content": "text",
            "normalize_embeddings": "normalize",
            "truncate_dim": "dimensions",
            **READING_ALIASES,
        },
        prediction={"anyOf": ENCODED},
        request_forms=(Embeddings(),),
        toolkit=Shape(
            prediction=record({"embeddings": {"anyOf": [*ENCODED, list_of({"anyOf": ENCODED})]}}),
            one=lambda query: {"embeddings": query.prediction},
            several=lambda vectors: {"embeddings": vectors},
        ),
    )

    def load(self) -> None:
        """Load the encoder and the modules behind it.

        Raises:
            ValueError: The model needs something that this task doesn't do.
        """
        modules = sentence_modules(self.archive.folder)
        unknown = sorted({kind for kind, _ in modules} - {"Transformer", "Pooling", "Dense", "Normalize"})
        if unknown:
            raise ValueError(
                f"unknown modules in modules.json: {', '.join(unknown)}; accepted: Transformer, Pooling, "
                "Dense, Normalize; fix: serve this model with a handler of its own"
            )
        paths = dict(modules)
        folder = paths.get("Transformer", self.archive.folder)
        settings = read_json(folder / "sentence_bert_config.json")
        prompts = read_json(self.archive.folder / "config_sentence_transformers.json")
        self.prompts: dict[str, str] = prompts.get("prompts") or {}
        self.prompt = self.prompts.get(prompts.get("default_prompt_name"), "")
        self.lower_case = bool(settings.get("do_lower_case"))
        pooling = read_json(paths.get("Pooling", self.archive.folder / "1_Pooling") / "config.json")
        self.modes = pooling_modes(pooling)
        self.pools_prompt = pooling.get("include_prompt", True)
        self.load_model(folder)
        if self.model.config.is_encoder_decoder:
            raise ValueError(
                f"{self.model.config.model_type} is an encoder-decoder; accepted: encoders or decoders; "
                "fix: serve this model with a handler of its own"
            )
        self.tokenizer = load_tokenizer(self.archive, self.model, folder)
        self.token_rows = TokenRows(
            self.archive, self.model, self.tokenizer, max_length=settings.get("max_seq_length")
        )
        self.dense = [load_dense(path).to(self.model.device) for kind, path in modules if kind == "Dense"]
        self.normalized = "Normalize" in paths

    def fit_to_model(self, query: Query) -> None:
        """Refuse prompts the model doesn't know."""
        if query.parameters.get("prompt_name", "") not in {"", *self.prompts}:
            raise Refused(
                f"unknown prompt_name; accepted: {', '.join(self.prompts) or 'none, the model has none'}"
            )

    def split(self, queries: Sequence[Query]) -> list[list[Item]]:
        """One item a text, its prompt before it."""
        return self.encode_prompted(queries, [[query.fields["text"]] for query in queries])

    def encode_prompted(self, queries: Sequence[Query], texts: Sequence[list[str]]) -> list[list[Item]]:
        """Tokenize several texts a query, each with the query's prompt before it."""
        prompts = [
            self.prompts.get(query.parameters.get("prompt_name", ""), self.prompt) for query in queries
        ]
        if self.lower_case or any(prompts):
            texts = [
                [self._prompted(prompt, text) for text in several]
                for prompt, several in zip(prompts, texts, strict=True)
            ]
        work = self.token_rows.encode(queries, texts)
        if not self.pools_prompt:
            for prompt, items in zip(prompts, work, strict=True):
                for item in items:
                    item.group = self._prompt_tokens(prompt)
        return work

    def _prompted(self, prompt: str, text: str) -> str:
        return (prompt + text).lower() if self.lower_case else prompt + text

    def _prompt_tokens(self, prompt: str) -> int:
        """How many tokens of a row are its prompt's, the one that begins every row among them."""
        if not prompt:
            return 0
        ids = tokenize(self.tokenizer, [prompt])[0]["input_ids"]
        return len(ids) - (ids[-1] in self.tokenizer.all_special_ids)

    def vectors(self, pack: list[Item]) -> torch.Tensor:
        """Return the vectors (rows x size) as the model's modules make them, before Normalize."""
        output, batch = self.forward(pack)
        mask = batch["attention_mask"]
        if pack[0].group:  # the prompt is read and not pooled
            mask = mask * (mask.cumsum(dim=1) > pack[0].group)
        vectors = torch.cat([POOLING[mode](output.last_hidden_state, mask) for mode in self.modes], dim=1)
        for layer in self.dense:
            vectors = layer(vectors.float())
        return vectors.float()

    def run(self, pack: list[Item]) -> Sequence[Any]:
        """One vector an item."""
        vectors = self.vectors(pack)
        if self.normalized:
            vectors = torch.nn.functional.normalize(vectors, dim=1)
        return list(vectors.cpu().numpy())

    def finish(self, query: Query, items: list[Item], rows: list[Any]) -> Any:
        """The vector, or its first `dimensions`; of unit length when asked for, or when the model's is."""
        vector = self._shortened(query, rows[0])
        return in_base64(vector) if query.parameters["encoding"] == BASE64 else vector

    def _shortened(self, query: Query, vector: numpy.ndarray) -> numpy.ndarray:
        dimensions = query.parameters.get("dimensions")
        if dimensions is not None and dimensions > len(vector):
            raise Refused(f"dimensions must be at most {len(vector)}, got {dimensions}")
        normalize = query.parameters.get("normalize", self.normalized)
        if normalize and (dimensions is not None or not self.normalized):
            shortened = torch.from_numpy(vector[:dimensions])
            return torch.nn.functional.normalize(shortened, dim=0).numpy()
        return vector[:dimensions]


def load_dense(folder: Path) -> torch.nn.Module:
    """Load a Dense module of sentence-transformers.

    Raises:
        ValueError: It has an activation that torch hasn't, or no weights.
    """
    config = read_json(folder / "config.json")
    name = str(config.get("activation_function", "torch.nn.modules.activation.Tanh")).rpartition(".")[2]
    activation = getattr(torch.nn, name, None)
    if not (isinstance(activation, type) and issubclass(activation, torch.nn.Module)):
        raise ValueError(
            f"unknown activation {name!r} in {folder.name}; accepted: torch.nn's; fix: correct config.json"
        )
    safe = folder / "model.safetensors"
    if safe.is_file():
        from safetensors.torch import load_file

        weights = load_file(safe)
    else:
        weights = torch.load(folder / "pytorch_model.bin", map_location="cpu", weights_only=True)
    linear = torch.nn.Linear(config["in_features"], config["out_features"], bias=config.get("bias", True))
    linear.load_state_dict({key.removeprefix("linear."): value for key, value in weights.items()})
    return torch.nn.Sequential(linear, activation()).eval().requires_grad_(False)
