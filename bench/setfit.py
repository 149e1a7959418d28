"""SetFit's method (Tunstall et al. 2022, arXiv:2209.11055): contrastive pairs tune a sentence encoder, then logistic
regression answers; for tags that do not exclude each other one regression a tag, and pairs are alike that share one.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from pizhu.models.device import half_precision
from pizhu.models.windows import SpecialTokens
from sklearn.linear_model import LogisticRegression
from tokenizers import Tokenizer
from torch import Tensor

BATCH, RATE, LONGEST = 16, 2e-5, 256


class SetFit:
    """A sentence encoder and its regressions.

    Args:
        encoder: a BERT-shaped network, tuned in place.
        tokenizer: its tokenizer.
        pairs: alike and unlike pairs drawn for each sentence (the paper's R).
        most: never more pairs than this in all.
    """

    def __init__(self, encoder: Any, tokenizer: Tokenizer, *, pairs: int = 20, most: int = 6400, seed: int = 1) -> None:
        self.encoder, self.tokenizer, self.pairs, self.most = encoder, tokenizer, pairs, most
        self.special = SpecialTokens.of(tokenizer)
        self.draw = random.Random(seed)
        torch.manual_seed(seed)

    def fit(self, texts: Sequence[str], truth: NDArray[np.bool_]) -> SetFit:
        """``truth``: (texts, labels)."""
        optimizer = torch.optim.AdamW(self.encoder.parameters(), lr=RATE)
        drawn = self._draw(truth)
        steps = range(0, len(drawn), BATCH)
        self.encoder.train()
        for step in steps:
            group = drawn[step : step + BATCH]
            optimizer.param_groups[0]["lr"] = RATE * min(1, (step + 1) / (0.1 * len(drawn)), 1 - step / len(drawn))
            vectors = self._vectors([texts[i] for pair in group for i in pair[:2]])
            alike = torch.cosine_similarity(vectors[0::2], vectors[1::2])
            loss = torch.nn.functional.mse_loss(alike, torch.tensor([float(pair[2]) for pair in group]))
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            optimizer.step()
        found = self._encode(texts)
        self.heads = [LogisticRegression(max_iter=1000).fit(found, column) for column in truth.T]
        return self

    def predict(self, texts: Sequence[str]) -> NDArray[np.bool_]:
        """(texts, labels)."""
        found = self._encode(texts)
        return np.stack([head.predict(found) for head in self.heads], axis=1)

    def _draw(self, truth: NDArray[np.bool_]) -> list[tuple[int, int, bool]]:
        shared = (truth.astype(int) @ truth.T.astype(int)) > 0
        bare = ~truth.any(axis=1)
        shared |= bare[:, None] & bare[None, :]  # without a tag is a kind of its own
        np.fill_diagonal(shared, False)
        drawn = []
        for first in range(len(truth)):
            for alike in (True, False):
                others = [i for i in np.flatnonzero(shared[first] == alike) if i != first]
                drawn += [(first, int(self.draw.choice(others)), alike) for _ in range(self.pairs) if others]
        self.draw.shuffle(drawn)
        return drawn[: self.most]

    def _encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        self.encoder.eval()
        with torch.inference_mode():
            return np.concatenate([self._vectors(texts[i : i + 64]).numpy() for i in range(0, len(texts), 64)])

    def _vectors(self, texts: Sequence[str]) -> Tensor:
        """(texts, hidden): the mean over tokens."""
        rows = [e.ids[: LONGEST - 2] for e in self.tokenizer.encode_batch(list(texts), add_special_tokens=False)]
        rows = [torch.tensor([self.special.cls, *ids, self.special.sep]) for ids in rows]
        tokens = torch.nn.utils.rnn.pad_sequence(rows, batch_first=True, padding_value=self.special.pad)
        mask = tokens != self.special.pad
        with half_precision(tokens.device):
            hidden = self.encoder(input_ids=tokens, attention_mask=mask.long()).last_hidden_state.float()
        return (hidden * mask.unsqueeze(2)).sum(1) / mask.sum(1, keepdim=True)
