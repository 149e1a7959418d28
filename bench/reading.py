"""How well and how fast pizhu reads and splits reports: `python bench/reading.py [GOLD.jsonl REPORTS_FOLDER]`

Prints tables: boundary and heading-path scores of each format on the sample reports; boundary F1 and speed of sentence
splitters (ours, pysbd, a naive regular expression) on the same text; pages per second from .txt and .docx; the cost of
reading files in separate processes.
"""

from __future__ import annotations

import json
import re
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from pizhu.annotate.run.run import annotate_files
from pizhu.data.isolation.in_process import InProcess
from pizhu.data.read import read_report, report_from_text
from pizhu.data.report import Report, normalise
from pizhu.tests.support.killing import Hashed
from pizhu.tests.support.sample_reports import FORMATS, Block, Piece, Sample, as_docx, as_text, load

PAGE = 800
"""Characters per page of a report."""

_TURNS = 5


def f1(right: int, found: int, wanted: int) -> float:
    """The harmonic mean of precision and recall."""
    return 2 * right / ((found + wanted) or 1)


def units(report: Report) -> Counter[str]:
    """The texts of sentences and headings."""
    return Counter(normalise(s.text) for s in report.sentences if s.kind != "furniture")


def placed(report: Report) -> Counter[tuple[str, ...]]:
    """Sentences with their heading paths."""
    return Counter((normalise(s.text), *map(normalise, s.headings)) for s in report.sentences if s.kind == "sentence")


def formats(samples: list[Sample]) -> None:
    """Each format's boundary F1 and share of right heading paths, over all samples."""
    print(f"{'format':16} {'boundary F1':>12} {'heading path':>13}   on {len(samples)} sample reports")
    with tempfile.TemporaryDirectory() as folder:
        for name, (ending, make) in FORMATS.items():
            right = found = wanted = paths = sentences = 0
            for sample in samples:
                path = Path(folder, sample.name + ending)
                path.write_bytes(make(sample))
                report, truth = read_report(path), sample.truth()
                right += sum((units(report) & units(truth)).values())
                found += sum(units(report).values())
                wanted += sum(units(truth).values())
                paths += sum((placed(report) & placed(truth)).values())
                sentences += sum(placed(truth).values())
            print(f"{name:16} {f1(right, found, wanted):12.4f} {paths / sentences:13.4f}")


def ours(text: str) -> Iterable[str]:
    """The splitter of this project."""
    return (normalise(s.text) for s in report_from_text(text, "x").sentences)


def naive(text: str) -> Iterable[str]:
    """A naive splitter, as in a first attempt."""
    return (normalise(piece) for piece in re.findall(r"[^。！？\n]+[。！？]?", text) if piece.strip())


def with_pysbd(text: str) -> Iterable[str]:
    """The best-known rule-based splitter that supports Chinese."""
    import pysbd

    return [normalise(piece) for piece in pysbd.Segmenter(language="zh", clean=False).segment(text) if piece.strip()]


def splitters(samples: list[Sample], gold: tuple[Path, Path] | None) -> None:
    """Boundary F1 on the samples, share of gold sentences found, characters a second."""
    print(f"\n{'splitter':16} {'samples F1':>12} {'gold found':>13} {'10-page reports a second':>26}")
    texts = [as_text(sample) for sample in samples]
    tools: dict[str, Callable[[str], Iterable[str]]] = {"pizhu": ours, "regex": naive, "pysbd": with_pysbd}
    for name, tool in tools.items():
        right = found = wanted = 0
        began = time.process_time()
        try:
            answers = [Counter(tool(text)) for text in texts]
        except ImportError:
            print(f"{name:16} not installed")
            continue
        spent = time.process_time() - began
        for sample, answer in zip(samples, answers, strict=True):
            truth = Counter(normalise(s.text) for s in sample.truth().sentences)
            furniture = Counter(normalise(s.text) for s in sample.truth().sentences if s.kind == "furniture")
            truth, answer = truth - furniture, answer - furniture
            right, found, wanted = (
                right + sum((truth & answer).values()),
                found + sum(answer.values()),
                wanted + sum(truth.values()),
            )
        share = f"{_gold(tool, *gold):13.4f}" if gold else f"{'-':>13}"
        print(f"{name:16} {f1(right, found, wanted):12.4f} {share} {sum(map(len, texts)) / spent / (10 * PAGE):26.1f}")


def _gold(tool: Callable[[str], Iterable[str]], file: Path, folder: Path) -> float:
    rows = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
    found = 0
    for doc in {row["doc"] for row in rows}:
        text = next(folder.rglob(doc)).read_text(encoding="utf-8")
        answer = set(tool(text))
        found += sum(normalise(row["text"]) in answer for row in rows if row["doc"] == doc)
    return found / len(rows)


def speed(samples: list[Sample]) -> None:
    """Reading from disk on one core: 1,000 ten-page .txt files, and .docx pages a second."""
    text = "".join(as_text(sample) for sample in samples)
    ten_pages = (text * (10 * PAGE // len(text) + 1))[: 10 * PAGE]
    with tempfile.TemporaryDirectory() as folder:
        plain, word = Path(folder, "x.txt"), Path(folder, "x.docx")
        plain.write_text(ten_pages, encoding="utf-8")
        began = time.process_time()
        for _ in range(1000):
            read_report(plain, isolated=False)
        print(f"\n1,000 ten-page .txt reports: {time.process_time() - began:.1f} s on one core")
        blocks = tuple(block for sample in samples for block in sample.blocks if block.what != "note") * 20
        word.write_bytes(as_docx(Sample("x", (Block("heading", (Piece("工作报告", "heading"),)), *blocks))))
        pages = sum(len(block.text) for block in blocks) / PAGE
        began = time.process_time()
        read_report(word, isolated=False)
        print(f".docx: {pages / (time.process_time() - began):.0f} pages a second")


def isolation(samples: list[Sample]) -> None:
    """1,000 small .txt files, read in separate processes as in a run and in this process, in turns."""
    text = as_text(samples[0])
    model: Any = Hashed()
    with tempfile.TemporaryDirectory() as folder:
        files = Path(folder, "in")
        files.mkdir()
        for number in range(1000):
            Path(files, f"{number}.txt").write_text(f"{text[:400]}\n第{number}项任务完成。\n", encoding="utf-8")
        seconds: dict[str, list[float]] = {"apart": [], "here": []}
        for turn in range(_TURNS):
            for way in list(seconds)[:: 1 if turn % 2 else -1]:
                began = time.perf_counter()
                reader = InProcess() if way == "here" else None
                annotate_files([files], Path(folder, f"{way}{turn}"), model, ("jsonl",), reader=reader)
                seconds[way].append(time.perf_counter() - began)
        ratios = sorted(apart / here for apart, here in zip(*seconds.values(), strict=True))
        middle = {way: sorted(found)[_TURNS // 2] for way, found in seconds.items()}
        print(
            f"\n1,000 small .txt, read and written without a model: in processes of their own {middle['apart']:.1f} s, "
            f"here {middle['here']:.1f} s, {ratios[_TURNS // 2]:.2f} [{ratios[0]:.2f} {ratios[-1]:.2f}] times"
        )


def main() -> None:
    """Print the tables."""
    samples = load()
    gold = (Path(sys.argv[1]), Path(sys.argv[2])) if len(sys.argv) > 2 else None
    formats(samples)
    splitters(samples, gold)
    speed(samples)
    isolation(samples)


if __name__ == "__main__":
    main()
