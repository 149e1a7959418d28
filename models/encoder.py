"""Loads encoders by setting: ``bundled``, a folder, or a hub id."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..base.errors import MissingExtraError, ModelError
from .bundled import bundled_encoder
from .config import known_fields
from .files import CONFIG, TOKENIZER
from .tokenizer import make_tokenizer, read_tokenizer

if TYPE_CHECKING:
    from tokenizers import Tokenizer


_HINTS = ("without access to a hub", "set HF_HUB_OFFLINE=0 to download it; without access to a hub")


@dataclass(frozen=True)
class Encoder:
    """A pre-trained encoder and its tokenizer."""

    model: Any
    tokenizer: Tokenizer
    name: str


def load_encoder(setting: str = "bundled", *, offline: bool = False) -> Encoder:
    """Load an encoder.

    Args:
        setting: ``bundled``; a folder (if it exists, or looks like a path); else a hub id, which is downloaded
            with ``HF_HUB_OFFLINE=0`` in the environment (see :mod:`pizhu.base.silence`).
        offline: do not use the hub.

    Raises:
        ModelError: the folder is missing, a hub id is given with ``offline``, the hub cannot be reached, or the model
            is not BERT-shaped.
        MissingExtraError: torch or transformers is not installed.
    """
    if setting == "bundled":
        source = str(bundled_encoder())
    elif _is_folder(setting):
        source = setting
    elif setting.startswith((".", "/", "\\", "~")) or Path(setting).drive or setting.count("/") > 1:
        raise ModelError(f"encoder folder {setting} does not exist; copy the model there or use 'bundled'")
    elif offline:
        raise ModelError(
            f"encoder {setting!r} would be downloaded, which --offline forbids; copy its config.json, "
            "model.safetensors and tokenizer.json into a folder and name that folder"
        )
    else:
        source = setting
    return Encoder(*_load(source, setting, local=_is_folder(source)), name=setting)


def _is_folder(setting: str) -> bool:
    try:
        return Path(setting).is_dir()
    except OSError:  # too long for a path
        return False


def _load(source: str, setting: str, *, local: bool) -> tuple[Any, Tokenizer]:
    try:
        import torch
        from transformers import AutoConfig, AutoModel, AutoTokenizer
    except ImportError:
        raise MissingExtraError("an encoder", "train") from None
    try:
        with quiet_transformers():
            # Neither pickled weights nor code that comes with a model is ever loaded.
            options: dict[str, Any] = {"local_files_only": local, "trust_remote_code": False}
            form = {"config": AutoConfig.for_model(**_form(source))} if local else {"attn_implementation": "sdpa"}
            model, found = AutoModel.from_pretrained(
                source,
                add_pooling_layer=False,
                use_safetensors=True,
                dtype=torch.float32,
                output_loading_info=True,
                **form,
                **options,
            )
            rows = known_fields(model.config.to_dict())["vocab_size"]
            path = Path(source) / TOKENIZER
            if path.is_file():
                tokenizer = read_tokenizer(path, rows)
            else:
                made = AutoTokenizer.from_pretrained(source, **options).backend_tokenizer
                tokenizer = make_tokenizer(json.loads(made.to_str()), rows)
    except Exception as error:  # transformers raises whatever its parts raise
        reason = next((line for line in str(error).splitlines() if line.strip()), type(error).__name__)
        hint = "" if local else f"; {_HINTS[os.environ.get('HF_HUB_OFFLINE') == '1']}, name a folder or 'bundled'"
        raise ModelError(f"encoder {setting!r} cannot be loaded: {reason.rstrip('.')}{hint}") from error
    if not hasattr(model, "embeddings") or not hasattr(getattr(model, "encoder", None), "layer"):
        raise ModelError(f"encoder {setting!r} is a {type(model).__name__}, expected a BERT-shaped model")
    pieces = tokenizer.get_vocab_size(with_added_tokens=False)
    if not rows / 2 < pieces <= rows:  # if a vocabulary is missing, transformers makes an empty one
        raise ModelError(f"encoder {setting!r} has {rows} token vectors, but its tokenizer has {pieces} pieces")
    if found["missing_keys"]:  # transformers would leave them random and only warn
        raise ModelError(
            f"encoder {setting!r} lacks weights that its config.json asks for: {min(found['missing_keys'])}"
        )
    return model, tokenizer


def _form(source: str) -> dict[str, Any]:
    """The fields of a folder's configuration that describe the encoder's form, and no others (:mod:`.config`)."""
    return known_fields(json.loads((Path(source) / CONFIG).read_text(encoding="utf-8")))


class quiet_transformers:
    """A context in which transformers shows no progress bars and no warnings."""

    def __enter__(self) -> None:
        from transformers.utils import logging

        self._level = logging.get_verbosity()
        logging.set_verbosity_error()  # type: ignore[no-untyped-call]
        logging.disable_progress_bar()  # type: ignore[no-untyped-call]

    def __exit__(self, *_: object) -> None:
        from transformers.utils import logging

        logging.set_verbosity(self._level)
        logging.enable_progress_bar()  # type: ignore[no-untyped-call]
