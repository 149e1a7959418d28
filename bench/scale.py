"""Do memory and speed stay constant over a million sentences? bench/scale.py REPORTS [--model FOLDER | --instant]

The script repeats the shipped corpus and the reports in the folder REPORTS under new ids, as rows of a Parquet file, up
to the number of sentences of each of ``--sizes``. A separate process annotates them: it reads, labels and writes them
as JSON Lines spread over folders, and then as parts. ``--instant`` uses a model that answers at once, to measure the
cost of everything else. The texts repeat, but their labels are not reused. Prints for each size the time per thousand
sentences; its ratio to that of the first size, and of the last quarter to the first, also in CPU time, for a machine
with other users; and the memory: its peak, and its growth from the first quarter to the last. ``--every`` is the number
of seconds between two measurements of the memory.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import resource
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator
from itertools import count
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import psutil
from pizhu import Annotator, read_report
from pizhu.annotate.inputs.find import find
from pizhu.annotate.run.run import RunResult, annotate_files
from pizhu.data.corpus.load import load_corpus
from pizhu.data.labels import DEFAULT_LABELS
from pizhu.data.report import Report
from pizhu.models.about import About
from pizhu.models.decision import Decision
from pizhu.models.paths import default_model
from pizhu.models.windows import ContextFormat

Look = tuple[float, int, int, float]


class Instant:
    """A model that gives no labels, instantly."""

    runtime = SimpleNamespace(kind="nothing")

    def __init__(self) -> None:
        self.about = About(DEFAULT_LABELS, ContextFormat(), 0, Decision((1.0,) * 4, (0.5,) * 4, 0.1), name="instant")

    def annotate(self, report: Report) -> Report:
        scores = dict.fromkeys(DEFAULT_LABELS.names, 0.25)
        return report.with_labels([()] * len(report.sentences), [scores] * len(report.sentences))

    def annotate_many(self, reports: Iterable[Report]) -> Iterator[Report]:
        return map(self.annotate, reports)


def texts(folder: Path) -> list[tuple[str, str, int]]:
    """Name, text and number of sentences of every report."""
    found = [read_report(item.place) for item in find([folder])] + [c.report for c in load_corpus()]
    return [(r.doc, r.text, sum(s.kind == "sentence" for s in r.sentences)) for r in found]


def write_table(path: Path, reports: list[tuple[str, str, int]], sentences: int) -> None:
    """Repeat ``reports`` until they have ``sentences``."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    schema = pa.schema([("id", pa.string()), ("text", pa.string())])
    with pq.ParquetWriter(path, schema) as file:
        for turn in count():
            rows = []
            for doc, text, number in reports:
                if sentences <= 0:
                    break
                rows.append({"id": f"{doc}-{turn}", "text": text})
                sentences -= number
            if rows:
                file.write_table(pa.Table.from_pylist(rows, schema), row_group_size=64)
            if sentences <= 0:
                return


def watched(table: Path, out: Path, model: Path | None, every: float, send: Any) -> None:
    """Annotate the table; send (seconds, sentences, bytes of memory, CPU seconds) at intervals, and the peak."""
    annotator: Any = Instant() if model is None else Annotator.load(model)
    process = psutil.Process()
    began = time.perf_counter()
    looks: list[Look] = []

    def watch(result: RunResult) -> None:
        now = time.perf_counter() - began
        if not looks or now - looks[-1][0] >= every:
            looks.append((now, result.sentences, process.memory_info().rss, time.process_time()))

    result = annotate_files([table], out, annotator, ("jsonl", "jsonl-parts"), layout="hash", reuse=0, watch=watch)
    looks.append((time.perf_counter() - began, result.sentences, process.memory_info().rss, time.process_time()))
    unit = 1 if sys.platform == "darwin" else 1024
    send.send({"looks": looks, "peak": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit})


def quarter(looks: list[Look], which: int) -> tuple[float, float, float]:
    """Seconds and CPU seconds per sentence, and the peak memory, in a quarter of the sentences (0 to 3)."""
    total = looks[-2][1]
    own = [look for look in looks[:-1] if which * total / 4 <= look[1] <= (which + 1) * total / 4]
    done = max(1, own[-1][1] - own[0][1])
    return (own[-1][0] - own[0][0]) / done, (own[-1][3] - own[0][3]) / done, max(look[2] for look in own)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("reports", type=Path)
    parser.add_argument("--model", type=Path, default=default_model())
    parser.add_argument("--instant", action="store_true")
    parser.add_argument("--sizes", default="10000,100000,1000000", help="numbers of sentences, comma-separated")
    parser.add_argument("--every", type=float, default=0.5)
    parser.add_argument("--json", type=Path, help="file for all measurements")
    args = parser.parse_args()
    found = texts(args.reports)
    spawn = multiprocessing.get_context("spawn")  # fork would give the child this process's memory
    kept: dict[int, Any] = {}
    first = 0.0
    columns = ("sentences", "s a thousand", "to the first", "last quarter", "in CPU time", "peak MB", "grown MB")
    print(" ".join(f"{column:>14}" for column in columns))
    for size in map(int, args.sizes.split(",")):
        with tempfile.TemporaryDirectory() as folder:
            table = Path(folder, "reports.parquet")
            write_table(table, found, size)
            receive, send = spawn.Pipe(duplex=False)
            model = None if args.instant else args.model
            child = spawn.Process(target=watched, args=(table, Path(folder, "out"), model, args.every, send))
            child.start()
            send.close()
            answer = receive.recv()
            child.join()
        kept[size] = answer
        looks = answer["looks"]
        each = 1000 * looks[-1][0] / looks[-1][1]
        first = first or each
        (early, early_cpu, before), (late, late_cpu, after) = quarter(looks, 0), quarter(looks, 3)
        figures = [f"{looks[-1][1]:,}", f"{each:.3f}", f"{each / first:.3f}", f"{late / early:.3f}"]
        figures += [f"{late_cpu / early_cpu:.3f}", f"{answer['peak'] / 2**20:,.0f}", f"{(after - before) / 2**20:,.1f}"]
        print(" ".join(f"{figure:>14}" for figure in figures), flush=True)
    if args.json:
        args.json.write_text(json.dumps(kept), encoding="utf-8")


if __name__ == "__main__":
    main()
