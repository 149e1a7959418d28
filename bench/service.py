"""Load test of `pizhu serve` on loopback: bench/service.py [--model FOLDER] [--requests N] [--seconds S] [--rounds N]

Starts the service, then sends it requests from 1, 8 and 32 clients at a time; each client sends its next report after
it has the last answer. The reports are different pieces of the shipped corpus, of about 10 sentences and whole,
answered as JSON Lines. A round of a level ends after ``--requests`` requests, and starts none after ``--seconds``
seconds; each level has ``--rounds`` rounds. Prints for each level the requests and sentences per second (median, lowest
and highest of the rounds), the median and 99th percentile of the time to the answer (over all rounds), the ratios to
one client, and how many requests were refused (503, 504), which the other figures exclude. With few requests, the 99th
percentile is the slowest one.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx
from pizhu.data.corpus.load import load_corpus
from pizhu.data.report import Report

CLIENTS = (1, 8, 32)
SMALL = 10
"""Sentences in a small request."""


@dataclass
class Load:
    """The result of one round of a level: seconds to each answer, sentences answered, requests refused, total time."""

    times: list[float] = field(default_factory=list)
    sentences: int = 0
    refused: int = 0
    seconds: float = 0.0


def pieces(report: Report, most: int) -> Iterator[str]:
    """The report's text in pieces of about ``most`` sentences, each with the title first."""
    title = report.text[: report.text.index("\n") + 1]
    start = count = 0
    for s in report.sentences:
        count += s.kind == "sentence"
        if count >= most and report.text[s.end : s.end + 1] == "\n":
            yield (title if start else "") + report.text[start : s.end + 1]
            start, count = s.end + 1, 0


async def level(url: str, texts: list[str], clients: int, requests: int, seconds: float) -> Load:
    """One round of ``clients`` at a time."""
    load = Load()
    coming = itertools.islice(itertools.cycle(texts), requests)
    began = time.perf_counter()

    async def client() -> None:
        async with httpx.AsyncClient(trust_env=False, timeout=300) as http:
            for text in coming:
                sent = time.perf_counter()
                if sent - began > seconds:
                    return
                answer = await http.post(f"{url}/annotate?format=jsonl&name=a.txt", content=text.encode())
                if answer.status_code in (503, 504):
                    load.refused += 1
                    continue
                answer.raise_for_status()
                load.times.append(time.perf_counter() - sent)
                load.sentences += answer.text.count('"kind": "sentence"')

    await asyncio.gather(*(client() for _ in range(clients)))
    load.seconds = time.perf_counter() - began
    return load


@contextmanager
def service(model: str | None) -> Iterator[str]:
    """The address of a running service."""
    command = [str(Path(sys.executable).with_name("pizhu")), "serve", "--port", "0"]
    command += ["--model", model] if model else []
    with subprocess.Popen(command, stdout=subprocess.PIPE, encoding="utf-8") as running:
        assert running.stdout is not None
        line = running.stdout.readline()
        if not line:
            raise SystemExit("the service did not start")
        try:
            yield line.split()[-1]
        finally:
            running.terminate()


def show(name: str, texts: list[str], url: str, options: argparse.Namespace) -> None:
    """Measure and print a table."""
    print(f"\n{name}: {len(texts)} different texts")
    heads = ("clients", "requests", "sentences a request", "requests a second", "× 1 client", "sentences a second")
    print("".join(f"{head:>{len(head) + 3}}" for head in (*heads, "p50 ms", "p99 ms", "p99 × 1 client", "refused")))
    first: tuple[float, float] | None = None
    for clients in CLIENTS:
        rounds = [
            asyncio.run(level(url, texts, clients, options.requests, options.seconds)) for _ in range(options.rounds)
        ]
        rates = sorted(len(load.times) / load.seconds for load in rounds)
        rate = statistics.median(rates)
        times = sorted(time for load in rounds for time in load.times)
        refused = sum(load.refused for load in rounds)
        if not times:
            print(f"{clients:>10}{0:>11}, {refused} refused")
            continue
        p50, p99 = statistics.median(times), times[max(0, -(-99 * len(times) // 100) - 1)]
        first = first or (rate, p99)
        sentences = sum(load.sentences for load in rounds)
        spread = f"{rate:.2f} [{rates[0]:.2f} {rates[-1]:.2f}]"
        speed = statistics.median(load.sentences / load.seconds for load in rounds)
        print(
            f"{clients:>10}{len(times):>11}{sentences / len(times):>22.1f}{spread:>20}{rate / first[0]:>13.2f}"
            f"{speed:>21.0f}{1000 * p50:>9.0f}{1000 * p99:>9.0f}{p99 / first[1]:>17.1f}{refused:>10}",
            flush=True,
        )


def main() -> None:
    """Print the tables, then the service's own metrics."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--model", help="model folder; default: the one `pizhu serve` uses")
    parser.add_argument("--requests", type=int, default=200, help="the most requests per level and round")
    parser.add_argument("--seconds", type=float, default=30, help="how long a level and round starts requests")
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    reports = [row.report for row in load_corpus()]
    with service(options.model) as url:
        warm = [piece for report in reports[:3] for piece in pieces(report, SMALL)]
        asyncio.run(level(url, warm, 4, 8, 30))
        show(f"About {SMALL} sentences a request", [p for r in reports for p in pieces(r, SMALL)], url, options)
        show("Whole reports", [report.text for report in reports], url, options)
        counted = httpx.get(f"{url}/metrics", trust_env=False).text
    print("\n" + "\n".join(line for line in counted.splitlines() if line.startswith("pizhu_batch_reports")))


if __name__ == "__main__":
    main()
