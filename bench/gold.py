"""Score a model on labelled real reports, from their raw text: bench/gold.py MODEL GOLD.jsonl REPORTS SCORE.py

GOLD has one record per sentence with ``doc`` (file name), ``start``, ``end`` and ``labels``; REPORTS is the folder with
the files; SCORE.py is the scoring script for the gold labels (it matches sentences by character offsets). Prints its
figures for all reports and for each one; for the sentences that remain when people check those marked for review, or
the tenth with the least confidence; and, with --errors N, the N most confident errors.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
from pizhu import Annotator
from pizhu.base.files import read_records, write_records


def scores(script: Path, gold: Iterable[dict[str, Any]], predictions: Path) -> dict[str, Any]:
    """The scoring script's figures for ``gold`` records and a folder of annotated reports."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "gold.jsonl"
        write_records(path, gold)
        command = [sys.executable, str(script), str(path), str(predictions), "--json"]
        answer = subprocess.run(command, capture_output=True, text=True, encoding="utf-8", check=True)
    return dict(json.loads(answer.stdout))


def annotate(model: Annotator, gold: list[dict[str, Any]], reports: Path, out: Path) -> None:
    """Annotate the reports in ``gold`` into ``out``."""
    docs = {record["doc"] for record in gold}
    for path in sorted(p for p in reports.rglob("*") if p.name in docs):
        write_records(out / f"{path.stem}.jsonl", model.annotate(path).records())


def sure(gold: Iterable[dict[str, Any]], predictions: Path) -> list[dict[str, Any]]:
    """The gold sentences that no sentence marked for review overlaps."""
    kept = []
    marked: dict[str, list[dict[str, Any]]] = {}
    for record in gold:
        doc = record["doc"]
        if doc not in marked:
            records = read_records(predictions / f"{Path(doc).stem}.jsonl")
            marked[doc] = [r for r in records if r.get("review")]
        if not any(r["start"] < record["end"] and record["start"] < r["end"] for r in marked[doc]):
            kept.append(record)
    return kept


def answers(gold: Iterable[dict[str, Any]], predictions: Path) -> list[tuple[dict[str, Any], dict[str, Any] | None]]:
    """Each gold record with the prediction that starts within two characters of it; None if there is none."""
    found: dict[str, dict[int, dict[str, Any]]] = {}
    pairs = []
    for record in gold:
        doc, start = record["doc"], record["start"]
        if doc not in found:
            records = read_records(predictions / f"{Path(doc).stem}.jsonl")
            found[doc] = {r["start"]: r for r in records if "scores" in r}
        near = (found[doc].get(start + off) for off in (0, -1, 1, -2, 2))
        pairs.append((record, next((r for r in near if r is not None), None)))
    return pairs


def surest(model: Annotator, gold: list[dict[str, Any]], predictions: Path, share: float) -> list[dict[str, Any]]:
    """``gold`` without exactly the ``share`` of least confidence; never drops a sentence without a prediction."""
    names = model.about.labels.names
    confidence = [
        2.0 if answer is None else model.about.decision.confidence(np.array([[answer["scores"][n] for n in names]]))[0]
        for _, answer in answers(gold, predictions)
    ]
    order = np.argsort(confidence, kind="stable")
    return [gold[i] for i in sorted(order[round(share * len(gold)) :])]


def errors(gold: list[dict[str, Any]], predictions: Path, most: int) -> list[tuple[float, str]]:
    """The wrong predictions of sentences with matching boundaries, the most confident first."""
    found = []
    for record, answer in answers(gold, predictions):
        if answer is None or set(answer["labels"]) == set(record["labels"]):
            continue
        wrong = set(answer["labels"]) ^ set(record["labels"])
        sure = max(abs(answer["scores"][name] - 0.5) for name in wrong)
        line = f"{record['doc']} {record['start']}: gold {record['labels']}, model {answer['labels']} "
        headings = " › ".join(answer["headings"])
        found.append((sure, f"{line}{answer['scores']}\n    {headings} | {record['text']}"))
    return sorted(found, reverse=True)[:most]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", type=Path)
    parser.add_argument("gold", type=Path)
    parser.add_argument("reports", type=Path)
    parser.add_argument("score", type=Path)
    parser.add_argument("--errors", type=int, default=0)
    args = parser.parse_args()
    gold = list(read_records(args.gold))
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder)
        model = Annotator.load(args.model)
        annotate(model, gold, args.reports, out)
        for doc in (None, *sorted({record["doc"] for record in gold})):
            result = scores(args.score, (r for r in gold if doc in (None, r["doc"])), out)
            labels = "  ".join(f"{name} {v['f1']:.3f} ({v['support']})" for name, v in result["labels"].items())
            print(
                f"{doc or 'all'}: macro-F1 {result['macro_f1']:.4f}  exact {result['exact_match']:.4f}  "
                f"boundaries {result['boundaries']:.4f}  {labels}"
            )
        for what, rest in (("marked for review", sure(gold, out)), ("least sure", surest(model, gold, out, 0.1))):
            result = scores(args.score, rest, out)
            print(
                f"without the {1 - len(rest) / len(gold):.1%} {what}: macro-F1 {result['macro_f1']:.4f}  "
                f"exact {result['exact_match']:.4f}"
            )
        for _, line in errors(gold, out, args.errors):
            print(line)


if __name__ == "__main__":
    main()
