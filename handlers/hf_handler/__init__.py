"""The reference handler for Hugging Face models, in rooms; the file beside this folder is its door.

Importing it sets what huggingface_hub and tokenizers read from the environment, once, when they are first
imported: the archive holds all that is needed, and a log is no place for progress bars. Tokenizing is quick
beside a forward pass, and its threads, one a core in every worker, would take the cores from torch's.
"""

import os

os.environ["HF_HUB_OFFLINE"] = "1"
os.environ["HF_HUB_DISABLE_PROGRESS_BARS"] = "1"
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")

try:
    import transformers  # noqa: F401 - to say at once, and in words, that it is missing
except ImportError as error:
    # TorchServe takes an ImportError for "no such handler file" and then blames a built-in handler.
    raise RuntimeError(
        f"transformers can't be imported ({error}); fix: install transformers>=5,<6 in the image "
        "or name it in the archive's requirements file"
    ) from error
