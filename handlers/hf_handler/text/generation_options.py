"""What `generate` is called with: of what is sent, of the model's own config, and of the task's pipeline."""

import copy
from collections.abc import Mapping
from typing import Any

from hf_handler.schema import Parameters, Refused
from hf_handler.text.generation_parameters import NOT_FOR_GENERATE, SAMPLING
from hf_handler.text.tokens import positions_of

# Tokens that `generate` writes where nobody says how many.
USUAL_LENGTH = 20


class GenerationOptions:
    """Works out the options of `generate`.

    Args:
        model: Of transformers, with `generate`.
        defaults: What the pipeline of the task generates with where nothing is sent.
        limit: For a model whose text goes on from the prompt: tokens of both together; `max_length` and
            `min_length` count the prompt. None: they count the new text alone.
    """

    def __init__(self, model: Any, defaults: Mapping[str, Any], limit: int | None) -> None:
        self._config = model.generation_config
        self._own: Parameters = self._config.to_diff_dict()
        self._positions = positions_of(model)
        self._defaults, self._limit = defaults, limit

    def of(self, parameters: Parameters, prompt: int, specific: Mapping[str, Any]) -> Parameters:
        """Return what `generate` is called with: sent, else the model's own, else the pipeline's.

        Args:
            parameters: Checked; of a query.
            prompt: Tokens of the prompt.
            specific: What the model's config says of the task, beside its generation config.

        Raises:
            Refused: The combination makes no sense to `generate`.
        """
        sent = {key: value for key, value in parameters.items() if key not in NOT_FOR_GENERATE}
        known = {**self._own, **specific, **sent}
        defaults = {
            key: value
            for key, value in self._defaults.items()
            if key not in known and not (key == "max_new_tokens" and "max_length" in self._own | sent)
        }
        sampling = {**known, **defaults}.get("do_sample")
        chosen = {
            **{key: value for key, value in defaults.items() if sampling or key not in SAMPLING},
            **specific,
            **sent,
        }
        if self._limit is None:
            self._count_new_text(chosen, known)
        else:
            self._count_after_prompt(chosen, known, prompt, self._limit)
        try:
            config = copy.deepcopy(self._config)
            config.update(**chosen)
            config.validate(strict=False)
        except ValueError as error:
            raise Refused(f"these parameters don't go together: {str(error)[:200]}") from None
        return chosen

    def beams(self, options: Parameters) -> int:
        """Return how many texts are followed at the same time with some options."""
        return {**self._own, **options}.get("num_beams") or 1

    def rows(self, options: Parameters) -> int:
        """Return how many rows a model runs for one prompt with some options."""
        sequences: int = {**self._own, **options}.get("num_return_sequences") or 1
        return max(self.beams(options), sequences)

    def new_tokens(self, options: Parameters) -> int:
        """Return the most tokens that are written with some options, in all beams and sequences together."""
        known = {**self._own, **options}
        most = known.get("max_new_tokens") or known.get("max_length") or USUAL_LENGTH
        return int(self.rows(options) * most)

    def _count_new_text(self, chosen: Parameters, known: Parameters) -> None:
        """Make a `max_length` of the options new tokens: it counts the token that a text starts with, too."""
        most = chosen.pop("max_length", None)
        if most is not None and "max_new_tokens" not in chosen:
            # The model's own max_new_tokens would win over the max_length that was sent.
            chosen["max_new_tokens"] = max(1, most - 1)
        if self._positions and chosen.get("max_new_tokens", 0) >= self._positions:
            chosen["max_new_tokens"] = self._positions - 1
        new, least = chosen.get("max_new_tokens"), chosen.get("min_length", known.get("min_length"))
        if new and least and least > new + 1:  # `generate` would warn, and stop there
            chosen["min_length"] = new + 1

    def _count_after_prompt(self, chosen: Parameters, known: Parameters, prompt: int, limit: int) -> None:
        """Make lengths of the options new tokens, as many as fit after the prompt.

        Those sent count the prompt, which is padded in a pack, so they would mean another for each row.
        """
        most = chosen.pop("max_length", None) or known.get("max_length")
        least = chosen.pop("min_length", None) or known.get("min_length")
        if most and "max_new_tokens" not in chosen and "max_new_tokens" not in known:
            chosen["max_new_tokens"] = max(1, most - prompt)
        if least and "min_new_tokens" not in chosen:
            chosen["min_new_tokens"] = max(0, least - prompt)
        new = chosen.get("max_new_tokens", known.get("max_new_tokens"))
        if self._positions and new:
            chosen["max_new_tokens"] = max(1, min(new, limit - prompt))
