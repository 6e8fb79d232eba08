"""Tokenizers built in place from a page of text, so that the samples' words aren't all unknown."""

import json
import re
from collections import Counter

CORPUS = """\
The movie was good and the plot was a bad one. It was the best film of the year, and the music was great!
Anna Keller works for Acme Motors in Berlin. John Smith moved from Paris to London in 1998.
The company Acme Motors was founded in Zurich by Maria Rossi, who lives in Rome today.
The river Rhine flows through Basel, Cologne and Rotterdam before it reaches the North Sea.
The quick brown fox jumps over the lazy dog. A slow cat sleeps under the old table near the window.
The train to Vienna leaves at nine, and it arrives at noon. We hope that the weather will be fine.
Who founded the company? Where does the river end? When does the train arrive? What color is the cat?
Scientists found a new planet that is far away. The stock market fell by three percent on Monday.
The government plans to build a school, a hospital and a bridge. Football fans were happy with the result.
This text is about sports, politics, science, business or music. This example is about health.
How many people live in the city? The city has two million people, four parks and seven museums.
A man is eating food. A woman is playing the violin. Two children are riding a red bike in the park.
Please translate English to German: the house is small. summarize: the report says that sales went up.
Das Haus ist klein. Der Zug kommt um neun Uhr an. Le chat est petit. La maison est grande et belle.
You are a helpful assistant. Hello, how are you? I am fine, thank you. Tell me a story about a dragon.
Once upon a time there was a king who had three daughters. The youngest was kind, but the oldest was not.
Python is a language. Paris is the capital of France. Open the door, close the window, and sit down.
unhappy unkind playing played plays worker working works quickly slowly kindness happiness
user assistant system question answer context name price total date number invoice receipt
zero one two three four five six seven eight nine ten first second third last
"""
SUFFIXES = ["s", "ed", "ing", "er", "ly", "ness", "es", "al", "ion", "y"]
CHARACTERS = sorted(
    {*"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.,:;!?'\"()-/%$&#+@äöüéè"}
)
PIECES = re.compile(r"\w+|[^\w\s]")


def single_bytes(special: int) -> range:
    """The ids of the 256 bytes in the vocabulary of `byte_pairs`, after so many special tokens."""
    return range(special, special + 256)


def word_pieces(special: list[str], lowercase: bool = True) -> dict[str, int]:
    """A WordPiece vocabulary: the special tokens, every word of the corpus, suffixes and characters."""
    corpus = CORPUS.lower() if lowercase else CORPUS
    characters = [one for one in CHARACTERS if not lowercase or one == one.lower()]
    words = sorted(set(PIECES.findall(corpus)) | set(characters))
    continued = [f"##{piece}" for piece in sorted({*SUFFIXES, *characters})]
    return {piece: number for number, piece in enumerate([*special, *words, *continued])}


def unigram_pieces(first: list[str]) -> list[tuple[str, float]]:
    """A Unigram vocabulary with scores: the first pieces, the corpus's words, letters."""
    counts = Counter(PIECES.findall(CORPUS))
    words = [(f"▁{word}", -4.0 - 1 / count) for word, count in sorted(counts.items())]
    rest = [(piece, -6.0) for piece in sorted({*SUFFIXES} - {*CHARACTERS})]
    letters = [(one, -9.0) for one in ["▁", *CHARACTERS]]
    taken = {piece for piece, _ in words}
    return [
        *((piece, 0.0) for piece in first),
        *words,
        *rest,
        *(one for one in letters if one[0] not in taken),
    ]


def byte_pairs(
    special: list[str], size: int = 600, suffix: str | None = None
) -> tuple[dict[str, int], list[tuple[str, str]]]:
    """A byte-level BPE vocabulary of `size` tokens and its merges, trained on the corpus.

    With a `suffix` it is CLIP's kind: lower case, and the last token of a word ends in the suffix.
    """
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, trainers

    bytewise = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=suffix is None)
    tokenizer = Tokenizer(models.BPE(end_of_word_suffix=suffix or ""))
    tokenizer.pre_tokenizer = bytewise
    if suffix:
        words = [pre_tokenizers.WhitespaceSplit(), pre_tokenizers.Punctuation(), bytewise]
        tokenizer.pre_tokenizer = pre_tokenizers.Sequence(words)
        tokenizer.normalizer = normalizers.Lowercase()
    # Ends of words get their numbers in the order of a hash table, another one in each process, unless given.
    ends = [letter + suffix for letter in sorted(pre_tokenizers.ByteLevel.alphabet())] if suffix else []
    trainer = trainers.BpeTrainer(
        vocab_size=size + len(ends),
        special_tokens=[*special, *ends],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        end_of_word_suffix=suffix or "",
        show_progress=False,
    )
    tokenizer.train_from_iterator(CORPUS.splitlines(), trainer)
    model = json.loads(tokenizer.to_str())["model"]
    return model["vocab"], [tuple(pair) for pair in model["merges"]]


def spaced_pairs(first: list[str], longest: int = 6) -> tuple[dict[str, int], list[tuple[str, str]]]:
    """A BPE vocabulary over words that start with `▁`, as sentencepiece makes for Llama and NLLB.

    Each word of up to `longest` letters is reached by merges from left to right, frequent words first.
    """
    vocabulary = dict.fromkeys([*first, "▁", *CHARACTERS])
    merges: dict[tuple[str, str], None] = {}
    for word, _ in sorted(Counter(PIECES.findall(CORPUS)).items(), key=lambda one: (-one[1], one[0])):
        piece = "▁"
        for letter in word if len(word) <= longest else "":
            vocabulary.setdefault(letter)
            merges.setdefault((piece, letter))
            piece += letter
            vocabulary.setdefault(piece)
    return {piece: number for number, piece in enumerate(vocabulary)}, list(merges)
