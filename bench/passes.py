"""Agreement of the corpus' two labelling passes: bench/passes.py

``data/corpus/adjudication.jsonl`` holds every sentence whose final labels differ from one of the passes, with both
passes' labels and the reason; all others had the final labels in both. From this, the script rebuilds both passes.
"""

from __future__ import annotations

from pizhu.base.files import read_records
from pizhu.cli.display import show
from pizhu.cli.label.agreement import agreement_table
from pizhu.data.corpus.load import corpus_folder, load_corpus
from pizhu.data.labels import DEFAULT_LABELS
from pizhu.labeling.agreement import agreement
from pizhu.labeling.studio.answers import Answer

CODES = {label.name[0].upper(): label.name for label in DEFAULT_LABELS}


def labels(code: str) -> tuple[str, ...]:
    """Label names of a code such as ``AM``."""
    return tuple(name for letter, name in CODES.items() if letter in code)


def main() -> None:
    decided = {(r["report"], r["text"]): r for r in read_records(corpus_folder() / "adjudication.jsonl")}
    rows = []
    for report in load_corpus():
        for record in report.report.records():
            if record["kind"] != "sentence":
                continue
            row = decided.pop((report.id, record["text"]), None)
            given = tuple(record["labels"] or ())
            first, second = (labels(row["first"]), labels(row["second"])) if row else (given, given)
            if row and labels(row["final"]) != given:
                raise SystemExit(f"{report.id}: the corpus does not have the adjudicated labels of {record['text']}")
            rows.append((record, [Answer("first pass", first), Answer("second pass", second)]))
    if decided:
        raise SystemExit(f"adjudicated but not in the corpus: {next(iter(decided))}")
    show(agreement_table(agreement(rows, DEFAULT_LABELS), DEFAULT_LABELS))


if __name__ == "__main__":
    main()
