"""Exported tasks become the same records by every route, with deleted ones marked."""

import copy
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from pizhu.data.labels import DEFAULT_LABELS
from pizhu.data.records import Record
from pizhu.labeling.studio.exported import import_notes, to_records, to_row
from pizhu.labeling.studio.spans import SPAN_LABELS, MarkedSpan
from pizhu.labeling.studio.spans import result as span_result
from pizhu.labeling.studio.task_types import SENTENCES, SPAN_MARKING
from pizhu.labeling.studio.tasks import result

NAMES = {2: "甲", 3: "乙"}


def annotation(number: int, by: int, *labels: str, **more: Any) -> dict[str, Any]:
    return {
        "id": number,
        "completed_by": by,
        "result": result(labels),
        "was_cancelled": False,
        "updated_at": f"2026-11-24T10:00:{number:02}.000001Z",
        "updated_by": None,
        "lead_time": 1.5,
        "prediction": {},
        "parent_prediction": None,
        "import_id": None,
        **more,
    }


def task(number: int, *annotations: dict[str, Any], sentence: str = "a", **more: Any) -> dict[str, Any]:
    data = {"id": sentence, "doc": "甲.txt", "start": 0, "end": 3, "text": "句。", "headings": [], "previous": ""}
    return {"id": number, "updated_at": "2026-11-24T10:00:00Z", "data": data, "annotations": list(annotations), **more}


def records(*rows: dict[str, Any]) -> list[Record]:
    return to_records(rows, NAMES, SENTENCES, DEFAULT_LABELS, "项目")[0]


def test_a_deleted_task_s_answers_stay_marked() -> None:
    gone = to_row(task(1, annotation(1, 2, "plan"))) | {"deleted": True}
    [record] = records(gone)
    assert record["deleted"] and record["state"] == "labelled" and record["answers"][0]["deleted"]
    # Pushed again and answered again: the record is there, the old answer is still marked.
    [record] = records(gone, to_row(task(2, annotation(2, 3, "plan"))))
    assert "deleted" not in record
    assert [(a["annotator"], a.get("deleted")) for a in record["answers"]] == [("乙", None), ("甲", True)]


def test_an_answer_put_back_is_not_counted_twice() -> None:
    gone = to_row(task(1, annotation(1, 2, "plan", parent_prediction=4))) | {"deleted": True}
    before = records(gone)[0]["answers"][0]
    noted = {"updated_at": before["at"], "parent_prediction": 4, "prediction": None}
    back = task(2, annotation(0, 2, "plan", import_id=0), meta=import_notes([noted]))
    [record] = records(gone, to_row(back))
    assert record["answers"] == [{key: value for key, value in before.items() if key != "deleted"}]


def test_a_transferred_answer_that_was_changed_is_a_new_one() -> None:
    meta = import_notes([{"updated_at": "2020-01-01T00:00:00Z", "parent_prediction": None, "prediction": None}])
    untouched = task(1, annotation(0, 2, "plan", import_id=0), meta=meta)
    changed = task(1, annotation(1, 2, "plan", import_id=0, updated_by=2), meta=meta)
    renamed = task(1, annotation(0, 2, "metric", import_id=0), meta=meta)
    years = [str(records(to_row(one))[0]["answers"][0]["at"])[:4] for one in (untouched, changed, renamed)]
    assert years == ["2020", "2026", "2020"]


def test_confirmed_is_a_proposal_taken_over_unchanged() -> None:
    shown = {"model_version": "v1", "result": result(["plan"])}
    given = [
        annotation(1, 2, "plan", prediction=shown, parent_prediction=7),
        annotation(2, 2, "metric", prediction=shown, parent_prediction=7),
        annotation(3, 2, "plan", prediction=shown),
        annotation(4, 2, "plan", prediction=shown, parent_prediction=7, was_cancelled=True),
    ]
    [record] = records(to_row(task(1, *given)))
    assert [answer["confirmed"] for answer in record["answers"]] == [True, False, False, False]


def test_a_proposed_none_that_stays_beside_a_label_says_nothing() -> None:
    both = result(["plan"])
    both[0]["value"]["choices"].append("none")
    proposed = {"prediction": {"model_version": "m", "result": result([])}, "parent_prediction": 4}
    [record] = records(to_row(task(1, annotation(1, 2, **{"result": both, **proposed}))))
    assert (record["state"], record["labels"]) == ("labelled", ["plan"])
    [record] = records(to_row(task(1, annotation(1, 2, **{"result": both}))))
    assert (record["state"], record["answers"][0]["choices"]) == ("contested", ["plan", "none"])


def test_unknown_labels_are_told() -> None:
    rows = [to_row(task(1, annotation(1, 2, "成绩"), annotation(2, 3, "成绩", "plan")))]
    [record], problems = to_records(rows, NAMES, SENTENCES, DEFAULT_LABELS, "项目")
    assert record["state"] == "contested" and record["answers"][0]["choices"] == ["成绩"]
    assert problems == ["2 answers name '成绩', which is not in the label set; they count as unclear"]


def test_an_unknown_kind_of_span_is_told_and_the_answer_stays() -> None:
    def marked(label: str) -> list[dict[str, Any]]:
        return span_result([MarkedSpan(0, 1, label, "句")])

    strange = annotation(1, 2, **{"result": marked("value") + marked("年份")})
    clear = annotation(2, 3, **{"result": marked("value")})
    clear["prediction"] = {"model_version": "m", "result": marked("年份")}
    rows = [to_row(task(1, strange, clear))]
    [record], problems = to_records(rows, NAMES, SPAN_MARKING, SPAN_LABELS, "项目")
    first, second = record["answers"]
    assert (record["state"], first["spans"], first["choices"]) == ("contested", None, ["value", "年份"])
    assert [span["label"] for span in second["spans"] or ()] == ["value"] and "choices" not in second
    assert second["shown"] == {"model": "m", "spans": None}
    assert problems == ["1 answers name '年份', which is not in the label set; they count as unclear"]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=4),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["pizhu", "annotations", "updated_at", "prediction", "parent_prediction"]), inner
        )
    ),
    max_leaves=8,
)


@given(meta=JSON, data=JSON, number=st.none() | st.integers(-2, 3))
def test_nothing_that_others_wrote_into_a_task_breaks_a_pull(meta: Any, data: Any, number: int | None) -> None:
    mine = task(1, annotation(0, 2, "plan", import_id=number), meta=meta if isinstance(meta, dict) else {})
    theirs = copy.deepcopy(mine) | {"id": 2}
    theirs["data"]["id" if number else "start"] = data
    found, problems = to_records([to_row(mine), to_row(theirs)], NAMES, SENTENCES, DEFAULT_LABELS, "项目")
    assert 1 <= len(found) + len(problems) <= 2
