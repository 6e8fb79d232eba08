"""Models that hear: transcription with Whisper and with CTC, classes of a sound."""

import json
from pathlib import Path
from typing import Any

from .media import sound
from .text import HIDDEN, labels
from .tiny_model import TinyModel
from .vocabulary import byte_pairs, single_bytes
from .weights import save, varied

SECONDS = 5
"""How much sound the tiny Whisper takes at once; the published ones take 30 seconds."""
COMMANDS = ["yes", "no", "left", "right"]
WHISPER_SPECIAL = [
    "<|endoftext|>", "<|startoftranscript|>", "<|en|>", "<|de|>", "<|translate|>", "<|transcribe|>",
    "<|startoflm|>", "<|startofprev|>", "<|nospeech|>", "<|notimestamps|>",
    *(f"<|{step / 50:.2f}|>" for step in range(SECONDS * 50 + 1)),
]  # fmt: skip
WAV2VEC2 = {
    "hidden_size": HIDDEN, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 64,
    "conv_dim": [16, 16, 16], "conv_kernel": [10, 8, 4], "conv_stride": [5, 8, 8],
    "num_conv_pos_embeddings": 16, "num_conv_pos_embedding_groups": 2, "initializer_range": 0.3,
    "num_feat_extract_layers": 3,
}  # fmt: skip


def whisper(folder: Path, seed: int) -> None:
    """A multilingual Whisper with timestamps, for windows of five seconds."""
    import transformers

    words, merges = byte_pairs([])
    vocabulary = {**words, **{token: len(words) + n for n, token in enumerate(WHISPER_SPECIAL)}}
    # Whisper takes every id after <|notimestamps|> for a time, so the special tokens come last.
    tokenizer = transformers.WhisperTokenizerFast(
        vocab=vocabulary, merges=merges, extra_special_tokens=WHISPER_SPECIAL[1:10], model_max_length=64
    )
    number = vocabulary.__getitem__
    ends = number("<|endoftext|>")
    settings = transformers.WhisperConfig(
        vocab_size=len(vocabulary), num_mel_bins=80, d_model=HIDDEN, encoder_layers=2, decoder_layers=2,
        encoder_attention_heads=2, decoder_attention_heads=2, encoder_ffn_dim=64, decoder_ffn_dim=64,
        max_source_positions=SECONDS * 50, max_target_positions=64, init_std=0.3, bos_token_id=ends,
        eos_token_id=ends, pad_token_id=ends, decoder_start_token_id=number("<|startoftranscript|>"),
        begin_suppress_tokens=None,
    )  # fmt: skip
    hears = transformers.WhisperFeatureExtractor(chunk_length=SECONDS)

    def build() -> Any:
        kind = transformers.WhisperForConditionalGeneration
        model = varied(kind(settings), "model.decoder.layer_norm.weight", rare=single_bytes(0))
        model.generation_config = transformers.GenerationConfig(
            is_multilingual=True, lang_to_id={name: number(name) for name in ["<|en|>", "<|de|>"]},
            task_to_id={name: number(f"<|{name}|>") for name in ["translate", "transcribe"]},
            no_timestamps_token_id=number("<|notimestamps|>"), max_initial_timestamp_index=50,
            return_timestamps=False, max_length=32, begin_suppress_tokens=[ends], bos_token_id=ends,
            eos_token_id=ends, pad_token_id=ends,
            decoder_start_token_id=number("<|startoftranscript|>"),
        )  # fmt: skip
        return model

    save(folder, seed, build, transformers.WhisperProcessor(hears, tokenizer))


def wav2vec2_ctc(folder: Path, seed: int) -> None:
    """A CTC model over letters."""
    import transformers

    folder.mkdir(parents=True, exist_ok=True)
    letters = ["<pad>", "<s>", "</s>", "<unk>", "|", *"ETAONIHSRDLUMWCFGYPBVK'XJQZ"]
    (folder / "vocab.json").write_text(json.dumps({letter: n for n, letter in enumerate(letters)}))
    tokenizer = transformers.Wav2Vec2CTCTokenizer(str(folder / "vocab.json"))
    settings = transformers.Wav2Vec2Config(
        vocab_size=len(letters), pad_token_id=0, bos_token_id=1, eos_token_id=2, ctc_loss_reduction="mean",
        **WAV2VEC2,
    )  # fmt: skip
    processor = transformers.Wav2Vec2Processor(_hears(), tokenizer)
    save(
        folder, seed, lambda: _louder(transformers.Wav2Vec2ForCTC(settings), "lm_head.weight", 1.0), processor
    )


def wav2vec2_classes(folder: Path, seed: int) -> None:
    import transformers

    settings = transformers.Wav2Vec2Config(classifier_proj_size=16, **WAV2VEC2, **labels(COMMANDS))
    kind = transformers.Wav2Vec2ForSequenceClassification
    save(folder, seed, lambda: _louder(kind(settings), "classifier.weight", 0.3), _hears())


def spectrogram_transformer(folder: Path, seed: int) -> None:
    import transformers

    settings = transformers.ASTConfig(
        hidden_size=HIDDEN, num_hidden_layers=2, num_attention_heads=2, intermediate_size=64, max_length=64,
        num_mel_bins=32, initializer_range=0.3, **labels(COMMANDS),
    )  # fmt: skip
    hears = transformers.ASTFeatureExtractor(num_mel_bins=32, max_length=64)
    kind = transformers.ASTForAudioClassification
    save(folder, seed, lambda: _louder(kind(settings), "classifier.dense.weight", 0.5), hears)


def _hears() -> Any:
    from transformers import Wav2Vec2FeatureExtractor

    return Wav2Vec2FeatureExtractor(return_attention_mask=True)


def _louder(model: Any, head: str, deviation: float) -> Any:
    """Draw one head anew, so that scores differ by units."""
    model.get_parameter(head).data.normal_(std=deviation)
    return model


SOUNDS = [sound(1), sound(2, 0.8), sound(3, 1.3)]
LONG_SOUND = sound(4, 12.0)
"""Longer than Whisper's window: transformers asks for `return_timestamps` or `chunk_length_s` then."""

MODELS = {
    "automatic-speech-recognition": TinyModel(
        "automatic-speech-recognition", "AutoModelForSpeechSeq2Seq", whisper, SOUNDS
    ),
    "automatic-speech-recognition-ctc": TinyModel(
        "automatic-speech-recognition", "AutoModelForCTC", wav2vec2_ctc, SOUNDS
    ),
    "audio-classification": TinyModel(
        "audio-classification", "AutoModelForAudioClassification", wav2vec2_classes, SOUNDS
    ),
    "audio-classification-ast": TinyModel(
        "audio-classification", "AutoModelForAudioClassification", spectrogram_transformer, SOUNDS
    ),
}
