"""Vectors of single sentences, close for sentences of similar meaning, from an encoder as it was pre-trained.

The vectors of a trained classifier (``Annotator.vectors``) are unsuitable: it was trained to tell plans from
achievements, so they hardly reflect a sentence's topic.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ..data.report import normalise
from .device import choose_device
from .encoder import Encoder, load_encoder
from .windows import SpecialTokens

_TOKENS = 160
"""The most tokens of a sentence that are read."""
_BATCH = 16


class SentenceEncoder:
    """Encodes a sentence as the mean of its tokens' vectors."""

    def __init__(self, encoder: Encoder, device: str | None = None) -> None:
        self.name = encoder.name
        self._model, self._tokenizer = encoder.model, encoder.tokenizer
        self._special = SpecialTokens.of(encoder.tokenizer)
        # Leave room for the two special tokens, and for the two positions that RoBERTa leaves unused.
        self._most = min(_TOKENS, self._model.config.max_position_embeddings - 4)
        self._model.to(choose_device(device)).eval()

    @classmethod
    def load(cls, setting: str = "bundled", *, device: str | None = None) -> SentenceEncoder:
        """Load an encoder; ``setting`` as for :func:`~pizhu.models.encoder.load_encoder`, never from a hub.

        Raises:
            ModelError: there is no such encoder.
            MissingExtraError: torch or transformers is not installed.
        """
        return cls(load_encoder(setting, offline=True), device)

    def vectors(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """(texts, hidden) means of the tokens' vectors; a long text is cut at 160 tokens."""
        import torch

        special = self._special
        found = self._tokenizer.encode_batch_fast([normalise(text) for text in texts], add_special_tokens=False)
        rows = [[special.cls, *encoding.ids[: self._most], special.sep] for encoding in found]
        result = np.zeros((len(rows), self._model.config.hidden_size), dtype=np.float32)
        order = sorted(range(len(rows)), key=lambda i: len(rows[i]))
        with torch.inference_mode():
            for first in range(0, len(order), _BATCH):
                group = order[first : first + _BATCH]
                longest = len(rows[group[-1]])
                padded = [rows[i] + [special.pad] * (longest - len(rows[i])) for i in group]
                ids = torch.tensor(padded, device=self._model.device)
                lengths = torch.tensor([[len(rows[i])] for i in group], device=ids.device)
                mask = (torch.arange(longest, device=ids.device) < lengths).long()
                states = self._model(input_ids=ids, attention_mask=mask).last_hidden_state
                means = (states * mask[..., None]).sum(1) / lengths
                result[group] = means.float().cpu().numpy()
        return result
