"""What a model was made from: fingerprints and versions."""

from __future__ import annotations

import hashlib
import json
import platform
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..base.versions import version_of
from ..data.report import Report

if TYPE_CHECKING:
    from tokenizers import Tokenizer
    from torch import nn


def fingerprint(value: Any) -> str:
    """SHA-256 of ``value`` as canonical JSON."""
    text = json.dumps(value, ensure_ascii=True, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode("ascii")).hexdigest()


def fingerprint_reports(reports: Sequence[Report]) -> str:
    """SHA-256 over names, texts and labels, in order."""
    return fingerprint([[r.doc, [[s.id, s.kind, s.text, s.labels] for s in r.sentences]] for r in reports])


def fingerprint_data(training: Sequence[Report], validation: Sequence[Report]) -> str:
    """SHA-256 over both lists and over which is which."""
    return fingerprint([fingerprint_reports(training), fingerprint_reports(validation)])


def fingerprint_model(model: nn.Module, tokenizer: Tokenizer) -> str:
    """SHA-256 over the names and bytes of all tensors, and over the tokenizer."""
    digest = hashlib.sha256(tokenizer.to_str().encode("utf-8"))
    for name, tensor in model.state_dict().items():
        digest.update(name.encode("utf-8"))
        digest.update(tensor.contiguous().numpy().tobytes())
    return digest.hexdigest()


def recorded(path: Path) -> str:
    """``path`` as a model folder records it: without the folders above the working folder, which are private."""
    return path.name if path.is_absolute() else path.as_posix()


def versions() -> dict[str, str]:
    """Versions of Python and of the packages that influence a training."""
    found = {"python": platform.python_version()}
    packages = ("pizhu", "torch", "transformers", "tokenizers", "numpy", "scikit-learn", "scipy")
    return found | {name: version_of(name, "unknown") for name in packages}
