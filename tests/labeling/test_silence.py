"""A labelling session in which nothing contacts another machine: Label Studio, its clients and the predictions.

``tests/test_silence.py`` describes how it is traced.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from pizhu.base.files import read_records, write_records
from pizhu.data.report import Report
from pizhu.labeling.server.accounts import Accounts
from pizhu.labeling.server.venv import ENVIRONMENT_VARIABLE
from pizhu.tests.support.first_day import FirstDay

from .conftest import NewServer

STUDIO = "http://127.0.0.1:8080"


@pytest.mark.slow
@pytest.mark.server
def test_a_labelling_session(first_day: FirstDay, environment: Path, new_server: NewServer, labelled: Report) -> None:
    first_day.environ[ENVIRONMENT_VARIABLE] = str(environment)
    folder = new_server(first_day.out / "server")
    here = ("--folder", folder)
    write_records(first_day.out / "report.jsonl", labelled.with_labels([None] * len(labelled.sentences)).records())
    with first_day.running("-m", "pizhu", "label", "serve", "--foreground", "--port", "8080", *here):
        first_day.ask(f"{STUDIO}/health", seconds=300)
        first_day.pizhu("label", "push", "report.jsonl", *here)
        with first_day.running("-m", "pizhu", "label", "predict-serve", "--connect", *here) as service:
            assert service.says("registered", seconds=300), service.printed
            _label(first_day, Accounts(folder / "accounts.json").annotators["甲"].token)
            assert service.stop() == 0, service.printed
        first_day.pizhu("label", "pull", "answers.jsonl", *here)
    answers = [answer for row in read_records(first_day.out / "answers.jsonl") for answer in row["answers"]]
    assert [answer["annotator"] for answer in answers] == ["甲"]
    assert first_day.offences() == []


def _label(first_day: FirstDay, token: str) -> None:
    """What an annotator's browser asks: pages, the next sentence with its proposal, and to keep the answer."""

    def ask(path: str, data: object = None) -> bytes:
        body = b"" if data is None else json.dumps(data).encode()
        return first_day.ask(f"{STUDIO}{path}", body, f"Authorization: Token {token}", "Content-Type: application/json")

    ask("/user/login/")
    with pytest.raises(AssertionError, match="404"):
        ask("/heidi-tips/")  # which are fetched from elsewhere
    (project,) = json.loads(ask("/api/projects"))["results"]
    opened = json.loads(ask(f"/api/projects/{project['id']}/next"))
    (proposal,) = opened["predictions"]
    ask(f"/api/tasks/{opened['id']}/annotations/", {"result": proposal["result"]})
