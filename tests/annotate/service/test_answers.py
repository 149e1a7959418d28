"""The response has the requested format, and a sender's file name is only ever displayed."""

from __future__ import annotations

import unicodedata
from contextlib import suppress

import prometheus_client
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pizhu.annotate.service.answers import TYPES, choose, content
from pizhu.annotate.service.meters import Meters
from pizhu.annotate.service.uploads import shown_name
from pizhu.base.refusal import Refusal
from pizhu.data.labels import DEFAULT_LABELS
from pizhu.data.report import Report, Span

BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8"


@pytest.mark.parametrize(
    ("wanted", "accept", "answer"),
    [
        (None, None, "json"),
        (None, "*/*", "json"),
        (None, BROWSER, "html"),
        (None, "application/x-ndjson", "jsonl"),
        (None, "application/jsonl;q=0.4, text/html;q=0.3", "jsonl"),
        (None, "application/*", "json"),
        (None, "text/*, application/json;q=0.1", "html"),
        (None, "text/html;q=0, */*;q=0.1", "json"),
        (None, "TEXT/HTML; q=0.5", "html"),
        ("jsonl", BROWSER, "jsonl"),
        ("html", None, "html"),
    ],
)
def test_formats(wanted: str | None, accept: str | None, answer: str) -> None:
    assert choose(wanted, accept) == answer


@pytest.mark.parametrize(("wanted", "accept"), [("docx", None), ("", None), (None, "image/png"), (None, "*/*;q=0")])
def test_formats_that_are_not(wanted: str | None, accept: str | None) -> None:
    with pytest.raises(Refusal) as refusal:
        choose(wanted, accept)
    assert refusal.value.status == 406


@given(st.text(max_size=60) | st.text(alphabet="*/,;q=.0123 text", max_size=40))
def test_any_accept_header(accept: str) -> None:
    with suppress(Refusal):
        assert choose(None, accept) in TYPES


@pytest.mark.parametrize(
    ("given_", "shown"),
    [
        ("报告.docx", "报告.docx"),
        ("../../etc/passwd", "passwd"),
        ("C:\\Users\\a\\总结.txt", "总结.txt"),
        ("\u202egnp.txt\x00\n\u200b", "gnp.txt"),
        ("<script>.txt", "<script>.txt"),
        ("", "报告"),
        (None, "报告"),
        ("..", "报告"),
        ("a/", "报告"),
        ("\ud800", "报告"),
        ("长" * 300 + ".docx", "长" * 114 + "….docx"),
    ],
)
def test_names(given_: str | None, shown: str) -> None:
    assert shown_name(given_) == shown


@given(st.text(alphabet=st.characters(codec=None), max_size=300))  # type: ignore[arg-type]
def test_any_name(name: str) -> None:
    shown = shown_name(name)
    assert 0 < len(shown) <= 120
    assert not {"/", "\\"} & set(shown) and shown not in (".", "..")
    assert not [c for c in shown if unicodedata.category(c) in ("Cc", "Cf", "Cs")]
    assert shown_name(shown) == shown


@pytest.mark.parametrize("form", TYPES)
def test_text_that_is_not_quite_unicode(form: str) -> None:
    made = Report.build('"x\r\n;.txt', "坏\ud800字。", [Span(0, 4, "sentence")]).with_labels(
        [("plan",)], [{"plan": 1.0}]
    )
    body, headers = content(made, DEFAULT_LABELS, form, with_page=True)
    body.decode("utf-8")
    assert all(value.isascii() and value.isprintable() for value in headers.values())
    assert 'filename="report.' in headers["content-disposition"]


def test_histograms_are_cumulative() -> None:
    meters = Meters()
    for reports in (1, 2, 3, 99):
        meters.annotated(reports, 1)
    lines = [line for line in meters.text(0, 1).splitlines() if line.startswith("pizhu_batch_reports")]
    assert lines == [
        'pizhu_batch_reports_bucket{le="1.0"} 1.0',
        'pizhu_batch_reports_bucket{le="2.0"} 2.0',
        *(f'pizhu_batch_reports_bucket{{le="{bound}.0"}} 3.0' for bound in (4, 8, 16, 32, 64)),
        'pizhu_batch_reports_bucket{le="+Inf"} 4.0',
        "pizhu_batch_reports_count 4.0",
        "pizhu_batch_reports_sum 105.0",
    ]


def test_services_count_apart_and_tell_nobody() -> None:
    one, other = Meters(), Meters()
    one.annotated(1, 7)
    assert "pizhu_sentences_total 7.0" in one.text(0, 1) and "pizhu_sentences_total 0.0" in other.text(0, 1)
    assert b"pizhu" not in prometheus_client.generate_latest(), "nothing in the registry that all of a process share"


def test_the_exposition() -> None:
    meters = Meters()
    meters.answered("/annotate", 200, 0.2)
    meters.answered("/annotate", 503, 0.1)
    meters.annotated(3, 40)
    lines = meters.text(2, 64).splitlines()
    assert 'pizhu_requests_total{route="/annotate",status="503"} 1.0' in lines
    assert "pizhu_request_seconds_count 1.0" in lines and "pizhu_batch_reports_sum 3.0" in lines
    assert "pizhu_sentences_total 40.0" in lines and "pizhu_requests_in_flight 2.0" in lines
    assert not any("_created" in line for line in lines), "as many series again that nobody asked for"
    typed = {line.split()[2] for line in lines if line.startswith("# TYPE")}
    assert {line.partition("{")[0].split()[0] for line in lines if not line.startswith("#")} <= {
        name + ending for name in typed for ending in ("", "_bucket", "_sum", "_count")
    }
