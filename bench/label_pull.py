"""How long pulling answers takes: bench/label_pull.py [--sentences N] [--changed N] [--runs N] [--environment FOLDER]

The script starts a Label Studio (SQLite) in a new folder and fills it with ``transfer``: invented sentences with two
annotators' answers. Each run then times the SDK's own export of the project, ``pizhu label pull`` to a new file
(everything), and, after changing some answers, ``pizhu label pull`` to the same file (only the changes). The times of
the commands include the second or two that Python and the SDK take to load. Prints the median, the spread, the CPU
seconds (of the server and the command together, which an idle machine would take) and the ratio to the export of the
same run.
"""

from __future__ import annotations

import argparse
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
from pizhu.base.files import write_records
from pizhu.data.labels import DEFAULT_LABELS
from pizhu.labeling.server import server as servers
from pizhu.labeling.server.server import Server
from pizhu.labeling.studio.client import connect
from pizhu.labeling.studio.project import find_project
from pizhu.labeling.studio.task_types import TITLE
from pizhu.labeling.studio.tasks import result
from pizhu.labeling.studio.transfer import transfer


def sentences(count: int) -> list[dict[str, Any]]:
    """Answers records, 200 sentences a report."""
    chance = random.Random(1)

    def answer(annotator: str) -> dict[str, Any]:
        if chance.random() < 0.03:
            return {"annotator": annotator, "labels": None, "skipped": True, "lead_time": 2.0}
        labels = [name for name in DEFAULT_LABELS.names if chance.random() < 0.3]
        return {"annotator": annotator, "labels": labels, "lead_time": round(chance.uniform(1, 20), 3)}

    return [
        {
            "id": f"{number:016x}",
            "doc": f"青禾县第{number // 200}号总结.txt",
            "start": 60 * (number % 200),
            "end": 60 * (number % 200) + 55,
            "text": f"全年完成第{number}段渠道清淤{number % 97}公里，投入资金{number % 89}万元，下一步继续推进管护。",
            "headings": ["一、主要工作", "（一）渠道管护"],
            "previous": f"年初排查出第{number}段渠道淤积，群众反映强烈。",
            "answers": [answer("甲"), answer("乙")],
        }
        for number in range(count)
    ]


def change(server: Server, count: int, seed: int) -> None:
    """Change the labels of so many answers, spread over the project."""
    with connect(server.access) as client:
        project = find_project(client, TITLE)
        assert project is not None
        numbers = [int(task.id) for task in client.tasks.list(project=project.id, include="id", page_size=100_000)]
        for number in random.Random(seed).sample(numbers, count):
            [first, *_] = client.tasks.get(id=number).annotations
            identity = first["id"] if isinstance(first, dict) else first.id
            client.annotations.update(id=identity, result=result(["plan"]), lead_time=9.0)


@dataclass(frozen=True)
class Taken:
    """Wall-clock seconds and CPU seconds."""

    clock: float
    processor: float


def timed(server: Server, act: Callable[[], object]) -> Taken:
    """The time that ``act``, its processes and the server's took."""

    def spent() -> float:
        served = psutil.Process(server.pid).cpu_times()
        mine = os.times()
        return served.user + served.system + mine.user + mine.system + mine.children_user + mine.children_system

    begun, before = time.perf_counter(), spent()
    act()
    return Taken(time.perf_counter() - begun, spent() - before)


def export(server: Server) -> None:
    """Export the project with the SDK alone."""
    with connect(server.access) as client:
        project = find_project(client, TITLE)
        assert project is not None
        b"".join(client.projects.exports.download_sync(id=project.id, export_type="JSON", download_all_tasks=True))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sentences", type=int, default=10_000)
    parser.add_argument("--changed", type=int, default=100)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--environment", type=Path, help="Label Studio's virtual environment")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder, "server")
        try:
            people = [("甲", None), ("乙", None)]
            server = servers.start(place, environment=args.environment, annotators=people)
            write_records(Path(folder, "given.jsonl"), sentences(args.sentences))
            took = timed(server, lambda: transfer(server.access, Path(folder, "given.jsonl")))
            print(f"{args.sentences} sentences, two answers each; transfer: {took.clock:.1f} s", flush=True)
            measure(server, Path(folder), args.runs, args.changed)
        finally:
            servers.stop(place)


def measure(server: Server, folder: Path, runs: int, changed: int) -> None:
    """Print the table."""
    pizhu = Path(sys.executable).with_name("pizhu")

    def pull(number: int) -> Taken:
        command = [str(pizhu), "label", "pull", str(folder / f"{number}.jsonl"), "--folder", server.folder]
        return timed(server, lambda: subprocess.run(command, check=True, capture_output=True))

    export(server)  # loads the SDK and warms up the server
    found: dict[str, list[Taken]] = {"SDK's export": [], "pull, everything": [], f"pull, {changed} changed": []}
    for number in range(runs):
        taken = [timed(server, lambda: export(server)), pull(number)]
        change(server, changed, number)
        taken.append(pull(number))
        for row, one in zip(found.values(), taken, strict=True):
            row.append(one)
        print(f"run {number + 1}: " + ", ".join(f"{one.clock:.1f} s" for one in taken), flush=True)
    print(f"{'':24}{'median':>9}{'least':>9}{'most':>9}{'processor':>12}{'ratio to the export':>22}")
    for name, row in found.items():
        clock = [one.clock for one in row]
        ratios = [one.clock / base.clock for one, base in zip(row, found["SDK's export"], strict=True)]
        numbers = "".join(f"{value:7.1f} s" for value in (statistics.median(clock), min(clock), max(clock)))
        numbers += f"{statistics.median(one.processor for one in row):10.1f} s"
        print(f"{name:24}{numbers}{statistics.median(ratios):8.2f} ({min(ratios):.2f} to {max(ratios):.2f})")


if __name__ == "__main__":
    main()
