"""How fast pizhu annotates reports: bench/throughput.py REPORTS [--model FOLDER] [--teacher FOLDER] [--sentences N]

Compares pizhu, from text files in the folder REPORTS to written JSONL, with a plain implementation: ``transformers`` in
torch, f32, one sentence at a time with its heading path and the sentence before it, and several at a time with the best
batch size. The plain implementation is timed with the same weights, with those of the 12-layer teacher and with an
untrained encoder of bert-base's shape, on the first ``--plain`` sentences. Prints sentences per second, ratios and the
share of equal labels; the machine's measured rates for matrix products and the share of them reached; the time of each
stage; and the time from the start to the first file. Each figure is the median of ``--rounds`` with the lowest and
highest.

Both compute on ``--device``, by default the CPU. On a GPU the plain implementation also uses bf16 and larger batches.
The reference labels are always computed in f32 on the CPU.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from pizhu import Annotator, read_report
from pizhu.annotate.inputs.find import find
from pizhu.annotate.run.run import annotate_files, write_report
from pizhu.data.report import Report, normalise
from pizhu.models.about import About
from pizhu.models.annotator import report_logits
from pizhu.models.folder import load_model
from pizhu.models.paths import default_model
from pizhu.models.runtime import TorchRuntime
from pizhu.models.unit_positions import UnitPositions
from pizhu.models.windows import SpecialTokens, Window, Windower, units, windows
from tokenizers import Tokenizer

PIZHU = Path(sys.executable).with_name("pizhu")
BATCHES = {"cpu": (4, 8, 16, 32, 64), "cuda": (16, 64, 256, 1024)}


@dataclass(frozen=True)
class Measured:
    """Figures of several rounds, in their unit."""

    values: tuple[float, ...]

    @property
    def median(self) -> float:
        return statistics.median(self.values)

    def __str__(self) -> str:
        return f"{self.median:,.1f} [{min(self.values):,.1f} {max(self.values):,.1f}]"


@contextmanager
def timed(into: list[float]) -> Iterator[None]:
    """Append the seconds that the block takes."""
    began = time.perf_counter()
    yield
    into.append(time.perf_counter() - began)


def rate(amount: float, work: Callable[[], object], rounds: int) -> Measured:
    """``amount`` a second."""
    seconds: list[float] = []
    for _ in range(rounds):
        with timed(seconds):
            work()
    return Measured(tuple(amount / s for s in seconds))


# The machine ---------------------------------------------------------------------------------------------------------


def matrix_rates(rounds: int, device: torch.device) -> dict[str, Measured]:
    """Billions of multiplications and additions per second, by type, for matrices of an encoder's sizes."""
    rows, inner, columns, times = 2048 if device.type == "cpu" else 65_536, 384, 1536, 20
    amount = 2 * rows * inner * columns * times / 1e9

    def work(a: torch.Tensor, b: torch.Tensor) -> None:
        for _ in range(times):
            a @ b
        if device.type == "cuda":
            torch.cuda.synchronize(device)

    found = {}
    for name, kind in (("f32", torch.float32), ("bf16", torch.bfloat16)):
        a, b = (torch.rand(shape, device=device).to(kind) for shape in ((rows, inner), (inner, columns)))
        work(a, b)  # warm-up
        found[name] = rate(amount, partial(work, a, b), rounds)
    if device.type == "cpu" and (multiply := _int8(rows, inner, columns)) is not None:
        found["int8"] = rate(amount, lambda: [multiply() for _ in range(times)], rounds)
    return found


def _int8(rows: int, inner: int, columns: int) -> Callable[[], Any] | None:
    try:
        import onnxruntime
        from onnx import TensorProto, helper, numpy_helper
    except ImportError:
        return None
    weights = numpy_helper.from_array(np.ones((inner, columns), dtype=np.int8), "b")
    graph = helper.make_graph(
        [helper.make_node("MatMulInteger", ["a", "b"], ["c"])],
        "int8",
        [helper.make_tensor_value_info("a", TensorProto.UINT8, (rows, inner))],
        [helper.make_tensor_value_info("c", TensorProto.INT32, (rows, columns))],
        [weights],
    )
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = torch.get_num_threads()
    session = onnxruntime.InferenceSession(made.SerializeToString(), options, providers=["CPUExecutionProvider"])
    a = np.ones((rows, inner), dtype=np.uint8)
    return lambda: session.run(None, {"a": a})


def where(device: torch.device) -> str:
    """The device in words."""
    return torch.cuda.get_device_name(device) if device.type == "cuda" else f"{torch.get_num_threads()} threads"


def operations(folder: Path, lengths: Sequence[int]) -> float:
    """Multiplications and additions, in billions, that an encoder's layers need for windows of these lengths."""
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    hidden, wide, layers = config["hidden_size"], config["intermediate_size"], config["num_hidden_layers"]
    return sum(layers * n * (8 * hidden * hidden + 4 * hidden * wide + 4 * n * hidden) for n in lengths) / 1e9


# The plain way -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Pair:
    """A sentence or heading with what comes before it: token ids, and where its own begin and end."""

    ids: tuple[int, ...]
    start: int
    end: int
    sentence: bool


def cut(report: Report, tokenizer: Tokenizer, special: SpecialTokens, about: About) -> list[Window]:
    """The windows that the model reads."""
    return windows(report, units(report, tokenizer, about.context), tokenizer, special, about.context)


def pairs(report: Report, tokenizer: Tokenizer, special: SpecialTokens) -> list[Pair]:
    """``[CLS] heading path, sentence before [SEP] sentence [SEP]`` for each sentence and heading."""
    found = []
    previous = ""
    for s in report.sentences:
        if s.kind == "furniture":
            continue
        text = normalise(" ".join((*s.headings, previous)))
        before = tokenizer.encode(text, add_special_tokens=False).ids[-160:]
        own = tokenizer.encode(normalise(s.text), add_special_tokens=False).ids[:160]
        ids = (special.cls, *before, special.sep, *own, special.sep)
        found.append(Pair(ids, len(before) + 2, len(before) + 2 + len(own), s.kind == "sentence"))
        previous = s.text if s.kind == "sentence" else previous
    return found


def plain_vectors(encoder: Any, found: Sequence[Pair], batch: int, pad: int) -> torch.Tensor:
    """(pairs, hidden), the mean over each sentence's own tokens."""
    device = encoder.device
    order = sorted(range(len(found)), key=lambda i: len(found[i].ids)) if batch > 1 else range(len(found))
    result: list[Any] = [None] * len(found)
    with torch.inference_mode():
        for first in range(0, len(found), batch):
            group = [(i, found[i]) for i in list(order)[first : first + batch]]
            length = max(len(p.ids) for _, p in group)
            ids = torch.tensor([[*p.ids, *[pad] * (length - len(p.ids))] for _, p in group], device=device)
            mask = torch.tensor([[1] * len(p.ids) + [0] * (length - len(p.ids)) for _, p in group], device=device)
            hidden = encoder(input_ids=ids, attention_mask=mask).last_hidden_state
            for row, (i, p) in enumerate(group):
                result[i] = hidden[row, p.start : p.end].mean(0)
    return torch.stack(result).cpu()


def plain_labels(model: Any, about: About, tokenizer: Tokenizer, report: Report, vectors: torch.Tensor) -> list[Any]:
    """The labels that the model's own head gives these vectors."""
    parts = units(report, tokenizer, about.context)
    with torch.inference_mode():
        logits = model.scores(vectors.float(), UnitPositions.of(parts)).numpy()
    return _chosen(about, logits, [report.sentences[part.index].kind == "sentence" for part in parts])


def _chosen(about: About, logits: Any, answered: Sequence[bool]) -> list[Any]:
    given = about.decision.choose(about.decision.probabilities(logits))
    return [tuple(map(bool, row)) for row, wanted in zip(given, answered, strict=True) if wanted]


def plain_rates(name: str, encoder: Any, found: list[Pair], pad: int, rounds: int) -> list[Any]:
    """(what, batch size, sentences per second), one at a time and with the best batch size."""

    def measure(batch: int, times: int) -> Measured:
        return rate(len(found), lambda: plain_vectors(encoder, found, batch, pad), times)

    measure(1, 1)  # warm-up
    rows = [(name, 1, measure(1, rounds))]
    tried = {batch: measure(batch, 1).median for batch in BATCHES[encoder.device.type]}
    best = max(tried, key=lambda batch: tried[batch])
    rows.append((name, best, measure(best, rounds)))
    return rows


def placed(encoder: Any, device: torch.device) -> Any:
    """The encoder on ``device``, on a GPU in its fastest type."""
    return encoder.to(device, torch.bfloat16) if device.type == "cuda" else encoder.to(device)


def base_shape() -> Any:
    """An untrained encoder of bert-base's shape."""
    from transformers import BertConfig, BertModel

    return BertModel(BertConfig(vocab_size=21128), add_pooling_layer=False).eval()


# The tables ----------------------------------------------------------------------------------------------------------


def sentences_of(reports: Sequence[Report]) -> int:
    """How many sentences there are, without headings and furniture."""
    return sum(s.kind == "sentence" for report in reports for s in report.sentences)


def chosen(folder: Path, most: int, copies: Path) -> list[Path]:
    """Copy reports of ``folder`` as text, spread over its list, up to ``most`` sentences in all; 0 for all."""
    paths = [item.place for item in find([folder])]
    found: list[Path] = []
    left = most or sys.maxsize
    for path in paths if not most else [paths[i * 7 % len(paths)] for i in range(len(paths))]:
        report = read_report(path)
        sentences = [s for s in report.sentences if s.kind == "sentence"][:left]
        found.append(copies / f"{path.stem}.txt")
        found[-1].write_bytes(report.text[: sentences[-1].end].encode("utf-8"))
        left -= len(sentences)
        if not left:
            break
    return found


def stages(annotator: Annotator, folder: Path, paths: Sequence[Path]) -> dict[str, float]:
    """Seconds of each stage, one after the other."""
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    special = SpecialTokens.of(tokenizer)
    spent: dict[str, list[float]] = {name: [] for name in ("reading", "tokenising", "vectors", "labels", "writing")}
    with tempfile.TemporaryDirectory() as out:
        for path in paths:
            with timed(spent["reading"]):
                report = read_report(path)
            with timed(spent["tokenising"]):
                windows(
                    report,
                    units(report, tokenizer, annotator.about.context),
                    tokenizer,
                    special,
                    annotator.about.context,
                )
            with timed(spent["vectors"]):
                annotator.vectors(report)
            with timed(spent["labels"]):
                labelled = annotator.annotate(report)
            with timed(spent["writing"]):
                write_report(labelled, Path(out), path.stem, ("jsonl",), annotator.about.labels)
    total = {name: sum(values) for name, values in spent.items()}
    return {
        "reading": total["reading"],
        "tokenising": total["tokenising"],
        "encoder": total["vectors"] - total["tokenising"],
        "head and decision": max(0.0, total["labels"] - total["vectors"]),
        "writing": total["writing"],
    }


def first_output(path: Path, model: Path, device: torch.device) -> float:
    """Seconds from starting the command to its first file."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "out"
        command = [str(PIZHU), "annotate", str(path), "--model", str(model), "--out", str(out)]
        hidden = {"CUDA_VISIBLE_DEVICES": ""} if device.type == "cpu" else {}
        began = time.perf_counter()
        process = subprocess.Popen(
            command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, env={**os.environ, **hidden}
        )
        while not (out / f"{path.stem}.jsonl").exists():
            if process.poll():
                raise SystemExit(process.communicate()[1].decode("utf-8", "replace"))
            time.sleep(0.005)
        spent = time.perf_counter() - began
        process.wait()
        return spent


def equal(a: Sequence[Any], b: Sequence[Any]) -> str:
    """The share of sentences with equal labels."""
    return f"{sum(x == y for x, y in zip(a, b, strict=True)) / max(1, len(a)):.2%}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("reports", type=Path)
    parser.add_argument("--model", type=Path, default=default_model())
    parser.add_argument("--teacher", type=Path, help="model folder of the 12-layer teacher")
    parser.add_argument("--sentences", type=int, default=0, help="about how many sentences; 0 for all")
    parser.add_argument("--plain", type=int, default=400, help="about how many of them for the plain implementation")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--device", type=torch.device, default="cpu", help="where both compute: cpu, cuda, cuda:1")
    args = parser.parse_args()
    rounds: int = args.rounds
    device: torch.device = args.device

    began = time.perf_counter()
    annotator = Annotator.load(args.model, device=str(device))
    loading = time.perf_counter() - began
    copies = tempfile.TemporaryDirectory()
    paths = chosen(args.reports, args.sentences, Path(copies.name))
    reports = [read_report(path) for path in paths]
    count = sentences_of(reports)
    print(f"{len(paths)} reports, {count:,} sentences, {where(device)}; model {args.model.name}\n")

    def annotate() -> None:
        with tempfile.TemporaryDirectory() as out:
            annotate_files(paths, Path(out), annotator, reuse=0)

    few: list[Report] = []
    for report in reports:
        if not few or sentences_of(few) < args.plain:
            few.append(report)
    annotator.annotate(few[0])  # warm-up
    ours = rate(count, annotate, rounds)
    rows: list[Any] = [("pizhu annotate, text to JSONL", "", ours)]
    model, tokenizer, about = load_model(args.model)
    special = SpecialTokens.of(tokenizer)
    by_report = [pairs(report, tokenizer, special) for report in few]
    found = [pair for group in by_report for pair in group if pair.sentence][: args.plain]
    same = placed(load_model(args.model)[0].encoder, device)
    rows += plain_rates("plain, the same weights", same, found, special.pad, rounds)
    if args.teacher:
        teacher, teacher_tokenizer, _ = load_model(args.teacher)
        teacher_special = SpecialTokens.of(teacher_tokenizer)
        longer = [pair for report in few for pair in pairs(report, teacher_tokenizer, teacher_special) if pair.sentence]
        encoder = placed(teacher.encoder, device)
        rows += plain_rates("plain, teacher", encoder, longer[: args.plain], teacher_special.pad, rounds)
    other = [Pair(tuple(i % 21128 for i in pair.ids), pair.start, pair.end, True) for pair in found]
    rows += plain_rates("plain, bert-base's shape", placed(base_shape(), device), other, 0, rounds)
    print(f"{'':32} {'batch':>6} {'sentences a second':>26} {'ours is':>9}")
    for name, batch, measured in rows:
        print(f"{name:32} {batch!s:>6} {measured!s:>26} {ours.median / measured.median:8.1f}x")

    answers = [
        tuple(name in (s.labels or ()) for name in about.labels.names)
        for report in annotator.annotate_many(few)
        for s in report.sentences
        if s.kind == "sentence"
    ]
    same_windows: list[Any] = []
    plain: list[Any] = []
    exact = TorchRuntime(model, special.pad)
    for report, group in zip(few, by_report, strict=True):
        ((_, logits),) = report_logits(exact, Windower(tokenizer, about.context), [report])
        same_windows += _chosen(about, logits, [s.kind == "sentence" for s in report.sentences])
        vectors = plain_vectors(model.encoder, group, 1, special.pad)
        plain += plain_labels(model, about, tokenizer, report, vectors)
    print(f"\nequal labels on {len(answers):,} sentences")
    print(f"with the same windows in torch, f32: {equal(answers, same_windows)}")
    print(f"with the plain way: {equal(answers, plain)}")

    lengths = [len(w.tokens) for report in reports for w in cut(report, tokenizer, special, about)]
    reached = operations(args.model, lengths) * ours.median / count
    print(f"\n{'matrices':10} {'billions a second':>26} {'share reached':>14}")
    for name, measured in matrix_rates(rounds, device).items():
        print(f"{name:10} {measured!s:>26} {reached / measured.median:14.1%}")
    needed = operations(args.model, lengths)
    print(f"needed: {sum(lengths) / count:.1f} tokens and {needed / count:.2f} billion a sentence")

    spent = stages(annotator, args.model, paths)
    print(f"\n{'where the time goes':20} {'share':>7} {'ms a report':>12}   one stage after the other")
    for name, seconds in spent.items():
        print(f"{name:20} {seconds / sum(spent.values()):7.1%} {1000 * seconds / len(paths):12.1f}")

    firsts = Measured(tuple(first_output(paths[0], args.model, device) for _ in range(rounds)))
    print(f"\nfrom start to the first file: {firsts} s; loading the model {loading:.1f} s with torch imported")


if __name__ == "__main__":
    main()
