"""Time and memory for writing the output formats: bench/files.py [--sentences 100000] [--runs 3]

Writes every table of a run twice, each time in a new process, once with a tenth of the sentences, so that the ratios
show whether time grows linearly and memory stays constant. Then it writes one report in every format, and compares the
time with that of reading the report. The sentences are those of the shipped corpus, repeated.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import Any

from pizhu.annotate import writers
from pizhu.data.corpus.load import load_corpus
from pizhu.data.labels import DEFAULT_LABELS
from pizhu.data.read import load_source, read_report
from pizhu.data.records import Record
from rich.console import Console
from rich.table import Table


def reports(corpus: list[tuple[str, list[Record]]], sentences: int) -> Iterator[tuple[str, list[Record]]]:
    """The corpus, repeated until there are enough sentences."""
    for number in count():
        for name, records in corpus:
            if sentences <= 0:
                return
            sentences -= sum(r["kind"] == "sentence" for r in records)
            yield f"{name}-{number}", records


def one(kind: str, sentences: int) -> None:
    """Write one table and print seconds, peak memory and size."""
    scores: Record = {"scores": dict.fromkeys(DEFAULT_LABELS.names, 0.5), "review": False}
    corpus: list[tuple[str, list[Record]]] = [
        (c.id, [{**record, **scores} for record in c.report.records()]) for c in load_corpus()
    ]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, f"run.{kind}")
        start = time.perf_counter()
        writers.write_table(path, reports(corpus, sentences), DEFAULT_LABELS)
        seconds = time.perf_counter() - start
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024  # kB on Linux
        print(json.dumps({"seconds": seconds, "mb": peak, "size": path.stat().st_size / 2**20}))


def measured(kind: str, sentences: int) -> dict[str, float]:
    """The same in a new process."""
    command = [sys.executable, __file__, "--one", kind, "--sentences", str(sentences)]
    done = subprocess.run(command, check=True, capture_output=True, encoding="utf-8")
    found: dict[str, float] = json.loads(done.stdout)
    return found


def of_one_report(runs: int) -> Table:
    """Print the time to write one report in each format (fastest and slowest of ``runs``), relative to reading it."""
    table = Table("format", "ms", "spread", "times reading the .docx", "kB")
    report = next(c.report for c in load_corpus() if c.id == "county-government-2012-government-report")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "source.docx")
        writers.write("docx", report, DEFAULT_LABELS, path)
        source, again = load_source(path), read_report(path)
        again = again.with_labels([("plan",) if s.kind == "sentence" else None for s in again.sentences])
        reading = timed(lambda: read_report(source.path), runs)
        for name in writers.REPORT:
            path = Path(folder, f"out.{name}")
            times = timed(lambda name=name, path=path: writers.write(name, again, DEFAULT_LABELS, path, source), runs)
            low, high = times[0] * 1e3, times[-1] * 1e3
            ratio = times[0] / reading[0]
            table.add_row(
                name, f"{low:.1f}", f"{low:.1f} to {high:.1f}", f"{ratio:.2f}", f"{path.stat().st_size / 1024:.0f}"
            )
    return table


def timed(work: Any, runs: int) -> list[float]:
    """Seconds of each run, sorted, after one warm-up run."""
    work()
    times = []
    for _ in range(runs):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return sorted(times)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sentences", type=int, default=100_000)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--one", choices=writers.TABLES)
    asked = parser.parse_args()
    if asked.one:
        one(asked.one, asked.sentences)
        return
    table = Table("format", "sentences a second", "peak MB", "peak over a tenth's", "time over a tenth's", "MB")
    for kind in writers.TABLES:
        few, many = measured(kind, asked.sentences // 10), measured(kind, asked.sentences)
        table.add_row(
            kind,
            f"{asked.sentences / many['seconds']:,.0f}",
            f"{many['mb']:.0f}",
            f"{many['mb'] / few['mb']:.2f}",
            f"{many['seconds'] / few['seconds']:.2f}",
            f"{many['size']:.1f}",
        )
    console = Console()
    console.print(table)
    console.print(of_one_report(asked.runs))


if __name__ == "__main__":
    main()
