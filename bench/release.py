"""Make the model that pizhu ships: bench/release.py MODEL OUT [GOLD.jsonl REPORTS SCORE.py]

MODEL comes from `pizhu train --recipe small`. The script stores it in 8 bits (as `pizhu compact` does, under the same
condition), scores it on the shipped test split and, if GOLD is given (see bench/gold.py), on real reports, and writes
it to OUT with those figures in its pizhu.json.
"""

from __future__ import annotations

import argparse
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

from gold import annotate, scores
from pizhu import Annotator
from pizhu.base.files import read_records
from pizhu.data.corpus.load import load_corpus
from pizhu.eval.calibration import reliability
from pizhu.eval.metrics import score
from pizhu.eval.predictions import Gold, collect
from pizhu.models.folder import load_model, save_model
from pizhu.training.compact import compact


def on_test_split(model: Annotator) -> dict[str, Any]:
    """Macro-F1 with its interval, F1 and calibration error a label, and exact match on the shipped test split."""
    sheet = Gold.of((c.report for c in load_corpus(split="test")), model.about.labels.names)
    answers = collect(sheet, model.annotate_many(sheet.questions()))
    found = score(sheet.truth, answers.given, sheet.names)
    interval = [round(v, 4) for v in (found.macro_f1.low, found.macro_f1.high)]
    labels = {name: round(label.f1.value, 4) for name, label in found.labels.items()}
    exact = round(found.exact_match.value, 4)
    assert answers.probabilities is not None
    sure = reliability(sheet.truth, answers.probabilities, sheet.names)
    return {
        "macro_f1": round(found.macro_f1.value, 4),
        "interval": interval,
        "exact_match": exact,
        "f1": labels,
        "calibration_error": {name: round(label.error.value, 4) for name, label in sure.items()},
    }


def on_real_reports(model: Annotator, gold: Path, reports: Path, script: Path) -> dict[str, Any]:
    """The same from raw text, by the scoring script."""
    records = list(read_records(gold))
    with tempfile.TemporaryDirectory() as folder:
        annotate(model, records, reports, Path(folder))
        found = scores(script, records, Path(folder))
    labels = {name: round(v["f1"], 4) for name, v in found["labels"].items()}
    return {"macro_f1": round(found["macro_f1"], 4), "exact_match": round(found["exact_match"], 4), "f1": labels}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("gold", type=Path, nargs="*")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        small = Path(folder) / "int8"
        print(compact(args.model, [c.report for c in load_corpus(split="validation")], small))
        model = Annotator.load(small, device="cpu")
        found = {"test split": on_test_split(model)}
        if args.gold:
            found["real reports"] = on_real_reports(model, *args.gold)
        print(found)
        network, tokenizer, about = load_model(small)
        save_model(args.out, network, tokenizer, replace(about, scores={**about.scores, **found}), compact=True)


if __name__ == "__main__":
    main()
