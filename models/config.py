"""Reads an encoder's ``config.json``: the sizes of the network, and nothing that would load code.

transformers reads more than sizes from such a file: classes that come with a model, attention code from a hub,
quantisers. So pizhu builds the configuration from the fields below alone.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ..base.errors import ModelError
from ..base.toml import brief

TYPES = ("bert", "camembert", "data2vec-text", "electra", "ernie", "roberta", "xlm-roberta")
"""The kinds of encoder with BERT's arrays and layers."""
SIZES = (
    "vocab_size",
    "hidden_size",
    "num_hidden_layers",
    "num_attention_heads",
    "intermediate_size",
    "max_position_embeddings",
    "type_vocab_size",
)
_SIZES = (*SIZES, "embedding_size", "task_type_vocab_size")
_SHARES = (
    "hidden_dropout_prob",
    "attention_probs_dropout_prob",
    "classifier_dropout",
    "initializer_range",
    "layer_norm_eps",
)
_FLAGS = ("is_decoder", "add_cross_attention", "use_cache", "tie_word_embeddings", "use_task_id")
_WORDS = ("model_type", "hidden_act", "position_embedding_type")
_MOST = 2**24
_MOST_BYTES = 2**20


def read_config(path: Path) -> dict[str, Any]:
    """The fields in the ``config.json`` of a model folder, all of :data:`SIZES` among them.

    Raises:
        ModelError: it is not a JSON object, or a field is missing or has an impossible value.
    """
    text = path.read_bytes()
    if len(text) > _MOST_BYTES:
        raise ModelError(f"{path.name} is larger than {_MOST_BYTES // 2**20} MB")
    try:
        config = known_fields(json.loads(text.decode("utf-8")))
    except (ValueError, RecursionError):
        raise ModelError(f"{path.name} is not JSON") from None
    if missing := next((name for name in SIZES if name not in config), None):
        raise ModelError(f"{path.name} lacks {missing}")
    if config["hidden_size"] % config["num_attention_heads"]:
        raise ModelError(f"{path.name} has a hidden_size that is not divisible by num_attention_heads")
    return config


def known_fields(raw: Any) -> dict[str, Any]:
    """The fields of a configuration (a JSON object) that describe the encoder's form; all others are left out.

    Raises:
        ModelError: its kind is not among :data:`TYPES`, or a field has an impossible value.
    """
    if not isinstance(raw, Mapping):
        raise ModelError("its configuration is not a JSON object")
    if (kind := raw.get("model_type")) not in TYPES:
        raise ModelError(f"its model_type is {brief(kind)}, expected a BERT-shaped model: {', '.join(TYPES)}")
    found = {}
    for names, fits in _FITS:
        for name in names:
            value = raw.get(name)
            if value is not None and not fits(value):
                raise ModelError(f"its {name} is {brief(value)}, which is impossible")
            if value is not None:
                found[name] = value
    return found


def _is_size(value: Any) -> bool:
    return type(value) is int and 0 < value <= _MOST


def _is_id(value: Any) -> bool:
    return type(value) is int and 0 <= value <= _MOST


def _is_share(value: Any) -> bool:
    return type(value) in (int, float) and 0 <= value <= 1


def _is_flag(value: Any) -> bool:
    return isinstance(value, bool)


def _is_word(value: Any) -> bool:
    return isinstance(value, str) and re.fullmatch(r"[A-Za-z0-9_-]{1,40}", value) is not None


def _are_words(value: Any) -> bool:
    return isinstance(value, list) and len(value) == 1 and _is_word(value[0])


_FITS = (
    (_WORDS, _is_word),
    (_SIZES, _is_size),
    (_SHARES, _is_share),
    (_FLAGS, _is_flag),
    (("pad_token_id",), _is_id),
    (("architectures",), _are_words),
)
