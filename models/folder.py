"""The model folder: all files that a model needs, checked when they are loaded."""

from __future__ import annotations

import hashlib
import json
import re
import shutil
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from ..base import folders
from ..base.errors import ConfigError, MissingExtraError, ModelError
from ..base.files import write_text
from ..base.toml import brief
from .about import About, as_json, from_json
from .config import read_config
from .files import ABOUT, CARD, CONFIG, ENCODER_GRAPH, HEAD_GRAPH, TOKENIZER, WEIGHTS
from .graph import graphs, has_graph
from .paths import KNOWN
from .quantise import dequantise, quantise
from .tokenizer import read_tokenizer
from .weights import read_header

if TYPE_CHECKING:
    from tokenizers import Tokenizer

    from .classifier import ReportClassifier

_MOST_BYTES = {WEIGHTS: 2**33, ABOUT: 2**25}
_MOST_BYTES_ELSE = 2**26
_MOST_ATTENTION = 2**30
"""The most numbers in the attention of a window: its tokens squared times the heads."""


def save_model(
    folder: str | Path, model: ReportClassifier, tokenizer: Tokenizer, about: About, *, compact: bool = False
) -> Path:
    """Write a model folder; an existing model is replaced as a whole, or stays if this is interrupted or killed.

    With ``compact`` the weights are quantised (:func:`.quantise.quantise`), to a quarter of the size.

    Raises:
        ModelError: as in :func:`check_place`.
    """
    from safetensors.numpy import save_file

    folder = check_place(folder)
    with folders.building(folder) as beside:
        state = {name: value.detach().float().cpu().contiguous().numpy() for name, value in model.state_dict().items()}
        # One entry only: safetensors writes several in any order, and the same model should give the same bytes.
        save_file(quantise(state) if compact else state, beside / WEIGHTS, {"labels": ",".join(about.labels.names)})
        model.encoder.config.save_pretrained(beside)
        shutil.copymode(beside / CONFIG, beside / WEIGHTS)  # safetensors makes the file unreadable for colleagues
        config = read_config(beside / CONFIG)
        made = graphs(config, read_header(beside / WEIGHTS).arrays) if has_graph(config) else {}
        for name, graph in made.items():
            (beside / name).write_bytes(graph)
        tokenizer.save(str(beside / TOKENIZER))
        write_text(beside / CARD, _card(about))
        sums = {name: _sha256(beside / name) for name in (CONFIG, WEIGHTS, TOKENIZER, *made)}
        write_text(beside / ABOUT, as_json(about, sums))
    return folder


def check_place(folder: str | Path, sources: Iterable[str | Path] = ()) -> Path:
    """``folder``, absolute, if a model may be written there: it may replace an older model and nothing else.

    Args:
        sources: model folders that the new model is made from, which must stay.

    Raises:
        ModelError: there is something else, or one of ``sources``.
    """
    folder = Path(folder).resolve()
    for source in map(Path, sources):
        lost = (source.resolve(), *source.resolve().parents)
        # Names that differ only in case may mean one folder; the file system decides.
        if folder.exists() and any(path.exists() and path.samefile(folder) for path in lost):
            raise ModelError(
                f"{source}, which the new model is made from, would be lost; name another folder with --out"
            )
    if folder.exists() and not (folder / ABOUT).is_file() and not (folder.is_dir() and not any(folder.iterdir())):
        raise ModelError(f"{folder} exists and is not a model folder, so it is not overwritten; choose a new folder")
    return folder


@contextmanager
def reserved(folder: str | Path, sources: Iterable[str | Path] = ()) -> Iterator[Path]:
    """:func:`check_place`, and lock ``folder`` against other processes that would write a model there.

    Raises:
        ModelError: as in :func:`check_place`, or another process holds the lock.
    """
    folder = check_place(folder, sources)
    with ExitStack() as stack:
        try:
            stack.enter_context(folders.reserved(folder))
        except BlockingIOError:
            raise ModelError(
                f"another train, distil or compact is making the model {folder} now; wait until it is done, "
                "or name another folder with --out"
            ) from None
        yield folder


def is_model(folder: str | Path) -> bool:
    """Whether ``folder`` looks like a model folder, without reading its files."""
    folder = Path(folder)
    try:
        folders.restore(folder)
        return (folder / ABOUT).is_file()
    except (OSError, ValueError):  # not a valid path on this system
        return False


def load_about(folder: str | Path) -> About:
    """Read ``pizhu.json`` and check the files it names, each by itself and against the others; run nothing.

    Raises:
        ModelError: the folder or a file is missing, changed since it was written, of another format, or does not
            match the others.
    """
    folder = Path(folder)
    folders.restore(folder)
    if not folder.is_dir():
        raise ModelError(f"model folder {folder} does not exist; name another, or train one with: pizhu train")
    try:
        (folder / ABOUT).stat()
        if not (folder / ABOUT).is_dir():  # the system has a better message for a folder
            _check_file(folder, ABOUT)
        about, sums = _read_about(folder)
        _check_files(folder, sums)
        if about.fingerprint != KNOWN:
            try:
                check_parts(folder, about)
            except ModelError as error:
                raise _unusable(folder, error) from None
    except FileNotFoundError as error:
        raise ModelError(f"{folder} is not a model folder: it lacks {Path(error.filename).name}") from None
    except OSError as error:
        raise ModelError(f"model folder {folder} cannot be read: {error.strerror}") from None
    return about


def _read_about(folder: Path) -> tuple[About, dict[str, str]]:
    path = folder / ABOUT
    written = path.read_bytes()
    try:
        return from_json(written, folder.resolve().name)
    except ModelError as error:
        raise ModelError(f"{path} cannot be used: {error}") from None
    except ConfigError as error:
        raise ModelError(f"{path} cannot be understood: {error}") from None
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError, OverflowError) as error:
        raise ModelError(f"{path} cannot be understood: {brief(error)}") from None


def _check_files(folder: Path, sums: Mapping[str, str]) -> None:
    """Check that all files that a model needs are listed, and that the listed files lie in ``folder`` unchanged."""
    for name in sums:
        if not _PLAIN.fullmatch(name):
            raise ModelError(f"{folder / ABOUT} names the file {brief(name)}, which is not one in the folder itself")
    if missing := {CONFIG, WEIGHTS, TOKENIZER} - sums.keys():
        raise ModelError(f"{folder / ABOUT} cannot be understood: it has no checksum of {min(missing)}")
    drawn = {name for name in (ENCODER_GRAPH, HEAD_GRAPH) if name in sums or (folder / name).exists()}
    for name in sorted({*sums, *drawn}):
        _check_file(folder, name)
        digest = sums.get(name)
        if not isinstance(digest, str):
            raise ModelError(f"{folder / ABOUT} cannot be understood: it has no checksum of {name}")
        if (found := _sha256(folder / name)) != digest:
            raise ModelError(
                f"{name} in model folder {folder} was changed: its SHA-256 is {found[:12]}…, "
                f"expected {digest[:12]}…; copy the whole folder again"
            )


def _check_file(folder: Path, name: str) -> None:
    """Check that a file may be read: it is in ``folder`` itself, not too large, and not a device."""
    path = folder / name
    if not path.is_file():
        raise ModelError(f"model folder {folder} lacks {name}; copy the whole folder again")
    if not path.resolve().is_relative_to(folder.resolve()):
        raise ModelError(f"{name} in model folder {folder} is a link; put the file itself there")
    if path.stat().st_size > (most := _MOST_BYTES.get(name, _MOST_BYTES_ELSE)):
        raise ModelError(f"{name} in model folder {folder} is larger than {most // 2**20} MB")


_PLAIN = re.compile(r"\w[\w-]*(\.[\w-]+)*", re.ASCII)
"""Names that mean a file in the folder itself on every system."""


def check_parts(folder: Path, about: About) -> None:
    """Raise a ModelError unless the files belong together: configuration, weights, graphs and what ``about`` says."""
    config, header, names = read_config(folder / CONFIG), read_header(folder / WEIGHTS), about.labels.names
    if header.labels != ",".join(names):
        raise ModelError(
            f"{ABOUT} has the labels {','.join(names)}, its weights {header.labels}; copy the whole folder again"
        )
    header.check(config, len(names), about.recurrent, about.regression)
    tokens = about.context.tokens
    if tokens > config["max_position_embeddings"]:
        raise ModelError(f"its windows have {tokens} tokens, its encoder {config['max_position_embeddings']} positions")
    if tokens**2 * config["num_attention_heads"] > _MOST_ATTENTION:
        raise ModelError(f"its windows of {tokens} tokens with so many attention heads need too much memory")
    made = graphs(config, header.arrays) if has_graph(config) else {}
    for name in (ENCODER_GRAPH, HEAD_GRAPH):
        # A graph may run for ever or take all memory. So it runs only if pizhu makes the same graph of the weights.
        if (folder / name).exists() and (folder / name).read_bytes() != made.get(name):
            raise ModelError(f"{name} is not the graph that pizhu makes of its weights; copy the whole folder again")


def load_model(folder: str | Path) -> tuple[ReportClassifier, Tokenizer, About]:
    """Load a model folder and check every part.

    Raises:
        ModelError: as in :func:`load_about`, or the weights are for other labels or another shape.
        MissingExtraError: torch or transformers is not installed.
    """
    folder = Path(folder)
    about = load_about(folder)
    try:
        import torch
        from safetensors import safe_open
        from transformers import AutoConfig, AutoModel

        from .classifier import ReportClassifier
        from .encoder import quiet_transformers
    except ImportError:
        raise MissingExtraError("running a model in torch", "train") from None
    try:
        with safe_open(folder / WEIGHTS, framework="np") as weights:
            tensors = {name: weights.get_tensor(name) for name in weights.keys()}  # noqa: SIM118 - not a mapping
        with quiet_transformers():
            config = AutoConfig.for_model(**read_config(folder / CONFIG))
            encoder = AutoModel.from_config(config, dtype=torch.float32)  # type: ignore[no-untyped-call]
        if getattr(encoder, "pooler", None) is not None:
            encoder.pooler = None
        model = ReportClassifier(encoder, len(about.labels), about.recurrent, about.regression)
        model.load_state_dict({name: torch.from_numpy(value) for name, value in dequantise(tensors).items()})
    except Exception as error:  # transformers raises whatever its parts raise
        raise _unusable(folder, error) from error
    model.eval()
    return model, load_tokenizer(folder, about), about


def load_tokenizer(folder: Path, about: About) -> Tokenizer:
    """The tokenizer of a model folder that :func:`load_about` has checked.

    Raises:
        ModelError: as in :func:`.tokenizer.read_tokenizer`.
    """
    from tokenizers import Tokenizer

    if about.fingerprint == KNOWN:
        return Tokenizer.from_file(str(folder / TOKENIZER))
    try:
        return read_tokenizer(folder / TOKENIZER, read_config(folder / CONFIG)["vocab_size"])
    except ModelError as error:
        raise _unusable(folder, error) from None


def _unusable(folder: Path, error: Exception) -> ModelError:
    return ModelError(f"model folder {folder} cannot be loaded: {' '.join(str(error).split())[:300]}")


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _card(about: About) -> str:
    lines = ["# pizhu model", "", "Labels sentences of Chinese government reports, read in their context.", ""]
    lines += ["| label | title | threshold | temperature |", "|---|---|---|---|"]
    for label, threshold, temperature in zip(
        about.labels, about.decision.thresholds, about.decision.temperatures, strict=True
    ):
        lines.append(f"| {label.name} | {label.title} | {threshold:g} | {temperature:g} |")
    for title, body in (("Scores", about.scores), ("Origin", about.origin)):
        lines += ["", f"## {title}", "", "```json", json.dumps(body, ensure_ascii=False, indent=2), "```"]
    return "\n".join(lines) + "\n"
