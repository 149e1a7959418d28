"""The model folder: everything a model needs, in one place, checked when it is loaded."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..base import folders
from ..base.errors import ConfigError, MissingExtraError, ModelError
from ..base.files import write_text
from ..data.labels import Label, LabelSet
from .decision import Decision
from .files import ABOUT, CARD, CONFIG, TOKENIZER, WEIGHTS
from .quantise import dequantise, quantise
from .windows import ContextFormat

if TYPE_CHECKING:
    from tokenizers import Tokenizer

    from .classifier import ReportClassifier

FORMAT = 2


@dataclass(frozen=True)
class About:
    """What ``pizhu.json`` says.

    Attributes:
        labels: in the order of the outputs.
        context: how windows are made.
        recurrent: width of the GRU over the report, 0 for none.
        decision: calibration and thresholds.
        regression: whether the head is a logistic regression; see ``classifier.ReportClassifier``.
        origin: recipe, data fingerprint, splits, versions, seed: how the model was made; see :func:`learned`.
        scores: figures, each with the data they were measured on.
        name: of the folder that it was loaded from; empty before.
        fingerprint: SHA-256 of ``pizhu.json``, which holds those of the other files; empty before it was saved.
    """

    labels: LabelSet
    context: ContextFormat
    recurrent: int
    decision: Decision
    regression: bool = False
    origin: dict[str, Any] = field(default_factory=dict)
    scores: dict[str, Any] = field(default_factory=dict)
    name: str = field(default="", compare=False)
    fingerprint: str = field(default="", compare=False)


def learned(origin: Mapping[str, Any]) -> set[str]:
    """Names of the reports that a model, or what it was made from, has learned from; not those that only judged it."""
    data = origin.get("data", {})
    unlabelled = origin.get("unlabelled", {}).get("reports", ())
    return {*data.get("training", ()), *data.get("earlier", ()), *unlabelled}


def save_model(
    folder: str | Path, model: ReportClassifier, tokenizer: Tokenizer, about: About, *, compact: bool = False
) -> Path:
    """Write a model folder; a model that was there is replaced whole, or stays if this is stopped or killed.

    With ``compact`` the weights are those of :func:`.quantise.quantise`, a quarter of the size.

    Raises:
        ModelError: as :func:`check_place`.
    """
    from safetensors.numpy import save_file

    from .graph import has_graph, write_graphs

    folder = check_place(folder)
    with folders.building(folder) as beside:
        state = {name: value.detach().float().cpu().contiguous().numpy() for name, value in model.state_dict().items()}
        # One entry only: safetensors writes several in any order, and the same model should be the same bytes.
        save_file(quantise(state) if compact else state, beside / WEIGHTS, {"labels": ",".join(about.labels.names)})
        model.encoder.config.save_pretrained(beside)
        shutil.copymode(beside / CONFIG, beside / WEIGHTS)  # safetensors shuts colleagues out of a shared folder
        graphs = write_graphs(beside) if has_graph(beside) else ()
        tokenizer.save(str(beside / TOKENIZER))
        _write_about(beside, about, (CONFIG, WEIGHTS, TOKENIZER, *graphs))
    return folder


def _write_about(folder: Path, about: About, names: tuple[str, ...]) -> None:
    body = {
        "format": FORMAT,
        # What labels were called once does not concern a model, which knows the names that it was trained on.
        "labels": [{k: v for k, v in asdict(label).items() if k != "formerly"} for label in about.labels],
        "context": asdict(about.context),
        "recurrent": about.recurrent,
        "regression": about.regression,
        "decision": asdict(about.decision),
        "origin": about.origin,
        "scores": about.scores,
        "files": {name: _sha256(folder / name) for name in names},
    }
    write_text(folder / CARD, _card(about))
    write_text(folder / ABOUT, json.dumps(body, ensure_ascii=False, indent=2) + "\n")


def check_place(folder: str | Path, sources: Iterable[str | Path] = ()) -> Path:
    """``folder``, absolute, if a model may be written there: nothing but an older model would be replaced.

    Args:
        sources: model folders that the new one is made from, which stay.

    Raises:
        ModelError: something else is there, or one of ``sources``.
    """
    folder = Path(folder).resolve()
    for source in map(Path, sources):
        lost = (source.resolve(), *source.resolve().parents)
        # Where names differ in case only they may mean one folder; the file system knows.
        if folder.exists() and any(path.exists() and path.samefile(folder) for path in lost):
            raise ModelError(
                f"{source}, which the new model is made from, would be lost; name another folder with --out"
            )
    if folder.exists() and not (folder / ABOUT).is_file() and not (folder.is_dir() and not any(folder.iterdir())):
        raise ModelError(f"{folder} exists and is no model folder; name a new one, nothing else is ever overwritten")
    return folder


@contextmanager
def reserved(folder: str | Path, sources: Iterable[str | Path] = ()) -> Iterator[Path]:
    """:func:`check_place`, and hold ``folder`` against other processes that would write a model there.

    Raises:
        ModelError: as :func:`check_place`, or another process holds it.
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
    """Whether there is a model folder, as far as can be seen without reading it."""
    folder = Path(folder)
    try:
        folders.restore(folder)
        return (folder / ABOUT).is_file()
    except (OSError, ValueError):  # no path of this system
        return False


def load_about(folder: str | Path) -> About:
    """Read and check ``pizhu.json`` and the files it names.

    Raises:
        ModelError: the folder or a file is missing, changed since it was written, or of another format.
    """
    folder = Path(folder)
    folders.restore(folder)
    if not folder.is_dir():
        raise ModelError(f"model folder {folder} does not exist; name another, or train one with: pizhu train")
    try:
        written = (folder / ABOUT).read_bytes()
        body = json.loads(written.decode("utf-8"))
        if body["format"] != FORMAT:
            raise ModelError(f"model folder {folder} has format {body['format']}, expected {FORMAT}; update pizhu")
        for name in sorted({CONFIG, WEIGHTS, TOKENIZER, *body["files"]}):
            if not (folder / name).is_file():
                raise ModelError(f"model folder {folder} lacks {name}; copy the whole folder again")
            if (found := _sha256(folder / name)) != (digest := body["files"][name]):
                raise ModelError(
                    f"{name} in model folder {folder} was changed: its SHA-256 is {found[:12]}…, "
                    f"expected {digest[:12]}…; copy the whole folder again"
                )
        about = About(
            LabelSet(tuple(Label(**label) for label in body["labels"])),
            ContextFormat(**{name: _count(value) for name, value in body["context"].items()}),
            _count(body["recurrent"]),
            _decision(body["decision"]),
            _flag(body.get("regression", False)),  # older folders do not say
            dict(body["origin"]),
            dict(body["scores"]),
            folder.resolve().name,
            hashlib.sha256(written).hexdigest(),
        )
    except FileNotFoundError as error:
        raise ModelError(f"{folder} is no model folder: it lacks {Path(error.filename).name}") from None
    except OSError as error:
        raise ModelError(f"model folder {folder} cannot be read: {error.strerror}") from None
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError, ConfigError) as error:
        raise ModelError(f"{folder / ABOUT} cannot be understood: {error!r}") from None
    if {len(about.decision.temperatures), len(about.decision.thresholds)} != {len(about.labels)}:
        raise ModelError(f"{folder / ABOUT} has another number of thresholds than of labels ({len(about.labels)})")
    return about


def _count(value: Any) -> int:
    if not isinstance(value, int) or value < 0:
        raise ValueError(f"{value!r} is no count")
    return value


def _flag(value: Any) -> bool:
    if not isinstance(value, bool):
        raise ValueError(f"{value!r} is neither true nor false")
    return value


def _decision(body: dict[str, Any]) -> Decision:
    return Decision(
        tuple(map(float, body["temperatures"])), tuple(map(float, body["thresholds"])), float(body["doubt"])
    )


def load_model(folder: str | Path) -> tuple[ReportClassifier, Tokenizer, About]:
    """Load a model folder, every part checked.

    Raises:
        ModelError: as :func:`load_about`, or the weights are for other labels or another shape.
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
            order = (weights.metadata() or {}).get("labels")
            tensors = {name: weights.get_tensor(name) for name in weights.keys()}  # noqa: SIM118 - not a mapping
        if order != ",".join(about.labels.names):
            raise ModelError(
                f"model folder {folder}: {ABOUT} has the labels {','.join(about.labels.names)}, its weights {order}; "
                "copy the whole folder again"
            )
        with quiet_transformers():
            config = AutoConfig.from_pretrained(folder, local_files_only=True, trust_remote_code=False)
            encoder = AutoModel.from_config(config)  # type: ignore[no-untyped-call]
        if getattr(encoder, "pooler", None) is not None:
            encoder.pooler = None
        model = ReportClassifier(encoder, len(about.labels), about.recurrent, about.regression)
        model.load_state_dict({name: torch.from_numpy(value) for name, value in dequantise(tensors).items()})
    except ModelError:
        raise
    except Exception as error:  # transformers raises whatever its parts raise
        reason = " ".join(str(error).split())[:200]
        raise ModelError(f"model folder {folder} cannot be loaded: {reason}") from error
    model.eval()
    return model, load_tokenizer(folder), about


def load_tokenizer(folder: Path) -> Tokenizer:
    """The tokenizer of a model folder that :func:`load_about` found whole."""
    from tokenizers import Tokenizer

    try:
        return Tokenizer.from_file(str(folder / TOKENIZER))
    except Exception as error:  # tokenizers raises nothing more special
        reason = " ".join(str(error).split())[:200]
        raise ModelError(f"model folder {folder} cannot be loaded: {reason}") from error


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
