"""The samples that the demonstration uses fit together."""

from collections import Counter
from pathlib import Path

from pizhu.data.labels import DEFAULT_LABELS
from pizhu.data.read import read_report
from pizhu.data.report import normalise
from pizhu.labeling.studio.answers import merge, read_answers

SAMPLES = Path(__file__).parents[2] / "data" / "samples"


def test_every_answer_is_for_a_sentence() -> None:
    reports = [path for path in SAMPLES.iterdir() if path.suffix in (".txt", ".html")]
    sentences = {
        (path.name, normalise(s.text)) for path in reports for s in read_report(path).sentences if s.kind == "sentence"
    }
    rows = read_answers(SAMPLES / "answers.jsonl", DEFAULT_LABELS)
    assert [record["text"] for record, _ in rows if (record["doc"], normalise(record["text"])) not in sentences] == []


def test_they_show_every_state() -> None:
    rows = read_answers(SAMPLES / "answers.jsonl", DEFAULT_LABELS)
    assert {name for _, answers in rows for name in (answer.annotator for answer in answers)} == {"甲", "乙"}
    states = Counter(merge(answers).state for _, answers in rows)
    assert set(states) == {"labelled", "none", "contested", "skipped"}
    assert states["labelled"] > len(rows) / 2
