"""Measure the Ray engine: bench/cluster.py [--model FOLDER] [--sentences 20000] [--runs 3] [--price 0.05]

Prints three tables, for the reports of the shipped corpus, repeated under other names.

1. One process with one thread, one process with two, and clusters on this machine with one and two workers of one CPU
   each, on the same files: sentences per second after the first fifth, with the spread over the runs, and the ratio to
   one thread; the seconds until the first outcome (including Ray's start); the driver's peak memory. With few sentences
   the clusters look too fast, since whole blocks arrive at once.
   Every run folder must equal the first one, file by file; exit status 1 if one does not.
2. The driver alone, with workers that do nothing, so that only Ray, the plan and the journal take time: reports per
   second, and the driver's memory with many and with few reports, which gives the cost of one more report.
3. Computed from these: what a million sentences cost at ``--price`` per core-hour (and at ``--gpu-price`` per GPU-hour,
   if ``--gpu-rate``, the sentences per second of one GPU, was measured elsewhere), and what 100 million would take.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import resource
import shutil
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from pizhu import Annotator
from pizhu.annotate.run import cluster
from pizhu.annotate.run.cluster import Cluster, annotate_on_cluster
from pizhu.annotate.run.manifest import Entry
from pizhu.annotate.run.run import Outcome, RunOptions, RunResult, Task, annotate_files
from pizhu.annotate.run.runfolder import Settings
from pizhu.data.corpus.load import load_corpus
from pizhu.models.paths import default_model

FORMATS = ("jsonl", "html")
UNIT = 1 if sys.platform == "darwin" else 1024
GOAL = 100_000_000


def write_reports(folder: Path, sentences: int) -> tuple[int, int]:
    """Write repeated copies of the corpus' reports into folders; returns the numbers of reports and sentences."""
    found = [
        (c.report.doc, c.report.text, sum(s.kind == "sentence" for s in c.report.sentences)) for c in load_corpus()
    ]
    reports = done = 0
    while done < sentences:
        doc, text, number = found[reports % len(found)]
        path = folder / f"{reports // len(found):04}" / f"{doc.removesuffix('.txt')}.txt"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"{text}\n第{reports}份。\n", encoding="utf-8")  # unique, since runs cache labels
        reports, done = reports + 1, done + number + 1
    return reports, done


def one_run(engine: str, workers: int, reports: Path, out: Path, model: Path, send: Any) -> None:
    """Annotate; send the times of the outcomes (seconds) with the sentences done by then, and the peak in bytes."""
    looks: list[tuple[float, int]] = []
    began = time.perf_counter()

    def watch(result: RunResult) -> None:
        looks.append((time.perf_counter() - began, result.sentences))

    if engine == "local":
        annotator = Annotator.load(model, device="cpu", threads=workers)
        annotate_files([reports], out, annotator, FORMATS, layout="hash", watch=watch)
    else:
        options = RunOptions(Settings(FORMATS, layout="hash"), watch=watch)
        annotate_on_cluster([reports], out, model, Cluster(workers=workers), options)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * UNIT
    early = next(look for look in looks if look[1] >= looks[-1][1] / 5)  # Ray has started, the model is loaded
    send.send({"start": looks[0][0], "early": early, "last": looks[-1], "peak": peak})


def idle_run(reports: int, block: int, model: Path, folder: Path, send: Any) -> None:
    """A run over a table with ``reports`` rows, with a worker that does nothing."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    table = folder / f"{reports}.parquet"
    pq.write_table(pa.table({"id": [f"总结-{i}" for i in range(reports)], "text": ["文"] * reports}), table)

    class Idle(cluster._Worker):  # defined here, because Ray pickles local classes by value
        def _reply(self, block: list[Task] | int, node: str) -> cluster._Reply:
            if isinstance(block, int):
                return cluster._Reply(node, total=block)
            return cluster._Reply(node, [Outcome(t.key, t.item.shown, Entry(t.name, "0" * 64, 100)) for t in block])

    cluster._Worker = Idle  # type: ignore[misc]
    looks: list[tuple[float, int]] = []

    def watch(result: RunResult) -> None:
        if result.seen in (1, reports):
            looks.append((time.perf_counter(), result.seen))

    options = RunOptions(Settings(layout="hash"), watch=watch)
    annotate_on_cluster([table], folder / f"out-{reports}", model, Cluster(workers=1, block=block), options)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * UNIT
    send.send({"rate": (looks[-1][1] - looks[0][1]) / (looks[-1][0] - looks[0][0]), "peak": peak})


def apart(function: Any, *given: Any) -> Any:
    """What ``function`` sends from a separate process, so that each has its own peak memory."""
    spawn = multiprocessing.get_context("spawn")
    receive, send = spawn.Pipe(duplex=False)
    child = spawn.Process(target=function, args=(*given, send))
    child.start()
    send.close()
    answer = receive.recv()
    child.join()
    return answer


def contents(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def table(columns: tuple[str, ...], rows: list[list[str]]) -> None:
    print(" ".join(f"{column:>16}" for column in columns))
    for row in rows:
        print(" ".join(f"{cell:>16}" for cell in row), flush=True)


def engines(args: argparse.Namespace, folder: Path) -> dict[str, float]:
    """Print the first table; returns the median rate of each engine."""
    number, sentences = write_reports(folder / "reports", args.sentences)
    print(f"{number:,} reports, {sentences:,} sentences; {os.cpu_count()} cores\n")
    settings = [("local", 1), ("local", 2), ("ray", 1), ("ray", 2)]
    wanted: dict[str, bytes] | None = None
    found: dict[str, list[dict[str, float]]] = {}
    for _ in range(args.runs):  # in turn, so that a busy minute affects all engines
        for engine, workers in settings:
            out = folder / "out"
            answer = apart(one_run, engine, workers, folder / "reports", out, args.model)
            (start, before), (stop, after) = answer["early"], answer["last"]
            run = {"rate": (after - before) / (stop - start), "start": answer["start"], "peak": answer["peak"]}
            found.setdefault(f"{engine} {workers}", []).append(run)
            written = contents(out)
            wanted = wanted or written
            if written != wanted:
                raise SystemExit(f"{engine} {workers}: another run folder than that of local 1")
            shutil.rmtree(out)
    rates = {name: [run["rate"] for run in runs] for name, runs in found.items()}
    middle = {name: statistics.median(own) for name, own in rates.items()}
    rows = []
    for name, runs in found.items():
        spread = f"{min(rates[name]):,.1f}-{max(rates[name]):,.1f}"
        start, peak = (statistics.median(run[key] for run in runs) for key in ("start", "peak"))
        ratio = middle[name] / middle["local 1"]
        rows.append([name, f"{middle[name]:,.1f}", spread, f"{ratio:.2f}", f"{start:.1f}", f"{peak / 2**20:,.0f}"])
    table(("engine", "sentences/s", "spread", "to local 1", "first after s", "driver MB"), rows)
    print("every run folder the same, byte for byte\n")
    middle["sentences a report"] = sentences / number
    return middle


def driver(args: argparse.Namespace, folder: Path) -> tuple[float, float, float]:
    """Print the second table; returns reports per second, the driver's bytes without reports, and bytes per report."""
    rows = []
    answers = []
    for size in (args.reports // 10, args.reports):
        answers.append(apart(idle_run, size, args.block, args.model, folder))
        rows.append([f"{size:,}", f"{answers[-1]['rate']:,.0f}", f"{answers[-1]['peak'] / 2**20:,.0f}"])
    table(("reports", "reports/s", "driver MB"), rows)
    grown = answers[1]["peak"] - answers[0]["peak"]
    each = grown / (args.reports - args.reports // 10)
    print(f"a report more: {each:,.0f} bytes of the driver (blocks of {args.block})\n")
    return answers[1]["rate"], answers[0]["peak"] - each * (args.reports // 10), each


def outlook(args: argparse.Namespace, rates: dict[str, float], bears: float, empty: float, each: float) -> None:
    """Print the third table, and the figures for 100 million sentences."""
    rate = rates["ray 2"] / 2  # with both workers busy, as on a full node
    rows = [["one CPU core", f"{rate:,.1f}", f"{args.price:g}", f"{1e6 / rate / 3600 * args.price:,.3f}"]]
    if args.gpu_rate:
        cost = 1e6 / args.gpu_rate / 3600 * args.gpu_price
        rows.append(["one GPU", f"{args.gpu_rate:,.0f}", f"{args.gpu_price:g}", f"{cost:,.3f}"])
    table(("worker", "sentences/s", "price an hour", "cost a million"), rows)
    reports = GOAL / rates["sentences a report"]
    fits = bears * rates["sentences a report"] / rate
    print(f"\n100 million sentences are {reports:,.0f} reports like these:")
    print(
        f"  {GOAL / rate / 3600:,.0f} core-hours, {GOAL / rate / 3600 * args.price:,.2f} at {args.price:g} a core-hour"
    )
    print(f"  the driver holds about {(empty + each * reports) / 2**30:.1f} GiB at the end")
    print(f"  the driver alone takes {reports / bears / 3600:,.2f} hours: it is the bottleneck above {fits:,.0f} cores")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", type=Path, default=default_model())
    parser.add_argument("--sentences", type=int, default=20_000)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--reports", type=int, default=50_000, help="reports for the driver alone")
    parser.add_argument("--block", type=int, default=Cluster().block, help="reports per block for the driver alone")
    parser.add_argument("--price", type=float, default=0.05, help="per core-hour")
    parser.add_argument("--gpu-rate", type=float, help="sentences per second of one GPU")
    parser.add_argument("--gpu-price", type=float, default=3.0, help="per GPU-hour")
    parser.add_argument("--json", type=Path, help="file for the figures")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        rates = engines(args, Path(folder))
        bears, empty, each = driver(args, Path(folder))
    outlook(args, rates, bears, empty, each)
    if args.json:
        figures = {"rates": rates, "driver": {"reports a second": bears, "empty": empty, "a report": each}}
        args.json.write_text(json.dumps(figures, indent=2), encoding="utf-8")


if __name__ == "__main__":
    main()
