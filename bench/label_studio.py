"""How fast sentences go to Label Studio: `push` against the plain SDK call with the same tasks, in turns.

    python bench/label_studio.py [--sentences 10000] [--runs 3]

Starts a Label Studio on SQLite in a temporary folder (PIZHU_LABEL_STUDIO_ENV names the environment that it is installed
in) and uses a new project for every run. The plain call is one request with all tasks, the least work for the server;
it checks nothing, and a second call sends everything again.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

from pizhu.base.files import write_records
from pizhu.data.labels import DEFAULT_LABELS
from pizhu.labeling.server import server as servers
from pizhu.labeling.studio.access import Access
from pizhu.labeling.studio.client import connect
from pizhu.labeling.studio.project import ensure_project
from pizhu.labeling.studio.push import push
from pizhu.labeling.studio.tasks import read_input, to_tasks

Times = dict[str, list[float]]


def records(count: int) -> Iterator[dict[str, Any]]:
    """Sentences of invented reports, 200 each, with a model's proposals."""
    for number in range(count):
        text = f"第{number}段渠道完成清淤疏浚，新建改建泵站{number % 7}座，灌溉面积达到{number}亩，群众满意度持续提升。"
        start = number % 200 * 60
        yield {
            "id": f"{number:016x}",
            "doc": f"青禾县水务局{number // 200}年总结.txt",
            "start": start,
            "end": start + len(text),
            "kind": "sentence",
            "text": text,
            "headings": ["一、主要工作", "（一）渠道管护"],
            "labels": ["achievement", "metric"],
            "scores": {"achievement": 0.9, "shortcoming": 0.02, "plan": 0.1, "metric": 0.8},
            "model": "bench",
        }


def push_times(access: Access, folder: Path, sentences: int, runs: int) -> Times:
    """Seconds of each run, by what was run."""
    path = folder / "sentences.jsonl"
    write_records(path, records(sentences))
    times: Times = {"plain SDK": [], "push": [], "push again": []}
    for run in range(runs):
        times["plain SDK"].append(seconds(partial(plain_import, access, path, f"plain {run}")))
        for name in ("push", "push again"):
            times[name].append(seconds(partial(push, access, [path], title=f"push {run}")))
    return times


def plain_import(access: Access, path: Path, title: str) -> None:
    """Send all tasks in one request."""
    with connect(access) as client:
        project = ensure_project(client, title=title)
        client.projects.import_tasks(id=project, request=to_tasks(read_input(path), DEFAULT_LABELS, str(path)))


def seconds(step: Callable[[], object]) -> float:
    begun = time.perf_counter()
    step()
    return time.perf_counter() - begun


def print_table(title: str, times: Times) -> None:
    """Print each row's median and range, as seconds and as a ratio to the first row in the same turn."""
    base = next(iter(times.values()))
    print(f"\n{title}")
    print(f"{'':14}{'seconds':>9}  {'range':>15}{'ratio':>9}  {'range':>13}")
    for name, values in times.items():
        ratios = [value / first for value, first in zip(values, base, strict=True)]
        spread, ratio_spread = (f"{min(some):.2f} to {max(some):.2f}" for some in (values, ratios))
        middle, ratio = statistics.median(values), statistics.median(ratios)
        print(f"{name:14}{middle:9.1f}  {spread:>15}{ratio:9.2f}  {ratio_spread:>13}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sentences", type=int, default=10_000)
    parser.add_argument("--runs", type=int, default=3)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        server = servers.start(Path(folder) / "server")
        try:
            times = push_times(server.access, Path(folder), options.sentences, options.runs)
        finally:
            servers.stop(server.folder)
    print_table(f"push: {options.sentences} sentences with proposals, {options.runs} runs", times)


if __name__ == "__main__":
    main()
