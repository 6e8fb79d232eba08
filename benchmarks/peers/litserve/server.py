"""all-MiniLM-L6-v2 behind LitServe, as its documentation shows an API with batching.

    PYTHONPATH=src server.py MODEL_FOLDER PORT WORKERS default|fast torch|onnxruntime

Its guide to speed is a batch size and a timeout that fit the model, and workers. What a batch holds is left
to its user: long and short texts are kept apart as by sentence-transformers, sorted and 32 at a time.
"""

import os
import sys

import litserve
import onnxruntime
import torch
import transformers

from vertex_torchserve.demo.mean_pooling import unit_means

MAX_BATCH_SIZE = 32
BATCH_SECONDS = 0.005
MAX_TOKENS = 256
TEXTS_AT_ONCE = 32


class EmbeddingAPI(litserve.LitAPI):
    """A request has `texts`, the response `vectors`."""

    def setup(self, device):
        """Load the model."""
        self.tokenizer = transformers.AutoTokenizer.from_pretrained(sys.argv[1])
        if sys.argv[5] == "onnxruntime":
            options = onnxruntime.SessionOptions()
            options.intra_op_num_threads = int(os.environ["OMP_NUM_THREADS"])
            self.session = onnxruntime.InferenceSession(f"{sys.argv[1]}/model.onnx", options)
        else:
            self.model = transformers.AutoModel.from_pretrained(sys.argv[1]).to(device).eval()

    def decode_request(self, request):
        """The texts of a request."""
        return request["texts"]

    def batch(self, inputs):
        """The requests of a batch, and all their texts."""
        return [len(texts) for texts in inputs], [text for texts in inputs for text in texts]

    def predict(self, inputs):
        """Embed the texts, longest first."""
        counts, texts = inputs
        order = sorted(range(len(texts)), key=lambda index: -len(texts[index]))
        vectors = [None] * len(texts)
        for first in range(0, len(order), TEXTS_AT_ONCE):
            chosen = order[first : first + TEXTS_AT_ONCE]
            for index, vector in zip(chosen, self.embed([texts[index] for index in chosen]), strict=True):
                vectors[index] = vector
        return counts, vectors

    def embed(self, texts):
        """One padded batch."""
        batch = self.tokenizer(
            texts, padding=True, truncation=True, max_length=MAX_TOKENS, return_tensors="pt"
        )
        with torch.inference_mode():
            return unit_means(self.hidden(batch), batch["attention_mask"]).tolist()

    def hidden(self, batch):
        """The last hidden states."""
        if sys.argv[5] == "torch":
            return self.model(**batch.to(self.model.device)).last_hidden_state
        names = [each.name for each in self.session.get_inputs()]
        return torch.from_numpy(self.session.run(None, {name: batch[name].numpy() for name in names})[0])

    def unbatch(self, output):
        """The vectors of each request."""
        counts, vectors = output
        rest = iter(vectors)
        return [[next(rest) for _ in range(count)] for count in counts]

    def encode_response(self, output):
        """The response of a request."""
        return {"vectors": output}


if __name__ == "__main__":
    api = EmbeddingAPI(max_batch_size=MAX_BATCH_SIZE, batch_timeout=BATCH_SECONDS)
    server = litserve.LitServer(
        api,
        accelerator="cpu",
        workers_per_device=int(sys.argv[3]),
        fast_queue=sys.argv[4] == "fast",  # meant for more than 100 requests a second
        timeout=120,
    )
    server.run(
        host="127.0.0.1",
        port=int(sys.argv[2]),
        log_level="warning",
        generate_client_file=False,
    )
