"""Encoders that only bench/ablation.py needs: with the whole vocabulary, and adapted to unlabelled reports."""

from __future__ import annotations

import random
import re
from collections.abc import Sequence
from pathlib import Path
from unittest.mock import patch

import torch
from pizhu.data.read import read_report
from pizhu.models import bundled
from pizhu.models.classifier import Batch
from pizhu.models.device import half_precision
from pizhu.models.encoder import load_encoder, quiet_transformers
from pizhu.models.windows import ContextFormat, SpecialTokens, Window, units, windows
from torch import Tensor, nn

STEPS, WINDOWS, MASKED = 150, 8, 0.15


def full_vocabulary(folder: Path) -> Path:
    """The bundled encoder with no piece left out, made in ``folder`` if it is not there."""
    if not (folder / "config.json").is_file():
        folder.parent.mkdir(parents=True, exist_ok=True)
        with patch.object(bundled, "_KEPT", re.compile(r"(?s:.*)")):
            bundled._make(bundled._find_weights(), folder)
    return folder


def adapted(folder: Path, unlabelled: Path, layers: Sequence[int], steps: int = STEPS) -> Path:
    """The bundled encoder's ``layers`` trained on masked words of the reports in ``unlabelled``, made once.

    The encoder was distilled without a masked-language-model head, so the head is learned here: one layer, and the
    embeddings again for the answers (they stay frozen). The pruned vocabulary has no mask; <unk> stands for it.
    """
    if (folder / "config.json").is_file():
        return folder
    encoder = load_encoder("bundled", offline=True)
    network, tokenizer = encoder.model, encoder.tokenizer
    network.encoder.layer = nn.ModuleList([network.encoder.layer[number - 1] for number in layers])
    network.config.num_hidden_layers = len(layers)
    network.embeddings.requires_grad_(False)
    special, context = SpecialTokens.of(tokenizer), ContextFormat()
    reports = [read_report(path) for path in sorted(unlabelled.iterdir()) if path.is_file()]
    found = [w for r in reports for w in windows(r, units(r, tokenizer, context), tokenizer, special, context)]
    random.Random(1).shuffle(found)
    torch.manual_seed(1)
    words = network.embeddings.word_embeddings.weight
    width = words.shape[1]
    head = nn.Sequential(nn.Linear(width, width), nn.GELU(), nn.LayerNorm(width))
    bias = nn.Parameter(torch.zeros(len(words)))
    optimizer = torch.optim.AdamW(
        [
            {"params": network.encoder.parameters(), "peak": 1e-4},
            {"params": [*head.parameters(), bias], "peak": 1e-3},
        ],
        lr=1e-4,
        weight_decay=0.01,
    )
    network.train()
    losses = []
    for step in range(steps):
        for group in optimizer.param_groups:
            group["lr"] = group["peak"] * min((step + 1) / (steps / 10), (steps - step) / (0.9 * steps))
        some = [found[(step * WINDOWS + number) % len(found)] for number in range(WINDOWS)]
        batch = Batch.of(some, special.pad)
        shown, asked = _mask(batch, some, tokenizer.token_to_id("<unk>"), len(words))
        blocked = torch.zeros(batch.mask.shape).masked_fill(~batch.mask, torch.finfo(torch.float32).min)
        with half_precision(torch.device("cpu")):
            hidden = network.embeddings(input_ids=shown)
            for layer in network.encoder.layer:
                hidden = layer(hidden, blocked[:, None, None, :])
            scores = head(hidden[asked]) @ words.T + bias
        loss = nn.functional.cross_entropy(scores.float(), batch.tokens[asked])
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_([*network.encoder.parameters(), *head.parameters(), bias], 1.0)
        optimizer.step()
        losses.append(float(loss.detach()))
        if step % 25 == 24:
            print(f"masked words: step {step + 1} of {steps}, loss {sum(losses[-25:]) / 25:.2f}", flush=True)
    beside = folder.with_name(f"{folder.name}.part")
    with quiet_transformers():
        network.save_pretrained(beside)
    tokenizer.save(str(beside / "tokenizer.json"))
    beside.rename(folder)
    return folder


def _mask(batch: Batch, some: Sequence[Window], mask: int, pieces: int) -> tuple[Tensor, Tensor]:
    """Tokens with some of the answered units' hidden, and which: eight in ten masked, one another piece, one as is."""
    inside = torch.zeros_like(batch.mask)
    for row, window in enumerate(some):
        for _, start, end in window.spans:
            inside[row, start:end] = True
    asked = inside & (torch.rand(inside.shape) < MASKED)
    chance = torch.rand(inside.shape)
    shown = batch.tokens.masked_fill(asked & (chance < 0.8), mask)
    other = torch.randint(4, pieces, shown.shape)
    return torch.where(asked & (chance >= 0.9), other, shown), asked
