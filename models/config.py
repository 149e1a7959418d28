"""What ``config.json`` may say of an encoder: its form, and nothing that would load code.

transformers takes more from such a file than the form of a network: classes that come with a model, attention from a
hub, quantisers. So its configuration is made of the fields below alone.
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
"""The kinds of encoder whose arrays and layers are BERT's."""
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
        ModelError: it is no JSON object, or a field is missing or cannot be so.
    """
    text = path.read_bytes()
    if len(text) > _MOST_BYTES:
        raise ModelError(f"{path.name} is larger than {_MOST_BYTES // 2**20} MB")
    try:
        config = known_fields(json.loads(text.decode("utf-8")))
    except (ValueError, RecursionError):
        raise ModelError(f"{path.name} is no JSON") from None
    if missing := next((name for name in SIZES if name not in config), None):
        raise ModelError(f"{path.name} lacks {missing}")
    if config["hidden_size"] % config["num_attention_heads"]:
        raise ModelError(f"{path.name} has a hidden_size that its num_attention_heads cannot share")
    return config


def known_fields(raw: Any) -> dict[str, Any]:
    """What of a configuration (a JSON object) describes the form of an encoder; all else is left out.

    Raises:
        ModelError: it is of a kind that is not among :data:`TYPES`, or a field cannot be so.
    """
    if not isinstance(raw, Mapping):
        raise ModelError("its configuration is no JSON object")
    if (kind := raw.get("model_type")) not in TYPES:
        raise ModelError(f"its model_type is {brief(kind)}, expected a BERT-shaped model: {', '.join(TYPES)}")
    found = {}
    for names, fits in _FITS:
        for name in names:
            value = raw.get(name)
            if value is not None and not fits(value):
                raise ModelError(f"its {name} is {brief(value)}, which cannot be")
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
