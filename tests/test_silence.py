"""pizhu and its dependencies contact no other machine, look up no name and leave no file that nobody asked for.

Python's sockets do not show what native code does, so the commands run under strace, in a network namespace with only
loopback, with an empty home and without the variables from which programs notice that they are tested. Dependencies
may report late, from their own threads, so the service is kept running for a while.
"""

from __future__ import annotations

import json
import time
from dataclasses import replace
from pathlib import Path

import pytest
from docx import Document
from pizhu.base.files import write_records
from pizhu.data.readers.office import find_office
from pizhu.data.report import Report
from pizhu.tests.support.first_day import FirstDay
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.cidfonts import UnicodeCIDFont
from reportlab.pdfgen.canvas import Canvas

pytestmark = pytest.mark.slow

FORMATS = "jsonl,html,docx,xlsx,csv,parquet,metrics,txt,index,xlsx-all,jsonl-parts,parquet-parts"
HELD = 15  # seconds; measured, ONNX Runtime looks its maker's host up nine seconds after a model is loaded
SENTENCES = ("全年办理案件12件。", "明年继续。")

NOISY = """
import os, socket, pathlib
def attempt(what, *words):
    try: what(*words)
    except OSError: pass
attempt(socket.getaddrinfo, "talks.example.com", 80)
attempt(socket.socket(type=socket.SOCK_DGRAM).connect, ("192.0.2.7", 9))
attempt(socket.socket(type=socket.SOCK_DGRAM).sendto, b"hello", ("198.51.100.7", 9))
attempt(socket.socket(socket.AF_INET6).connect, ("2001:db8::7", 9))
attempt(socket.socket(type=socket.SOCK_DGRAM).sendto, b"hello", ("127.0.0.1", 9))
home, temporary = (pathlib.Path(os.environ[name]) for name in ("HOME", "TMPDIR"))
for path in (home / "stray.txt", temporary / ".ses", pathlib.Path("own.txt"), home / ".cache/pizhu/own.txt"):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("x")
os.chdir(home)
pathlib.Path("stray.txt").rename("moved.txt")
"""


def test_the_watch_sees(first_day: FirstDay) -> None:
    """Else all the tests below would pass for nothing."""
    with first_day.running("-c", NOISY) as command:
        assert command.ended(60) == 0, command.printed
    found = first_day.offences()
    told = ["htons(53)", "192.0.2.7", "198.51.100.7", "2001:db8::7", "stray.txt", "moved.txt", "left behind"]
    for what in told:
        assert any(what in line for line in found), what
    assert not [line for line in found if not any(what in line for what in told) or "own.txt" in line]


@pytest.fixture
def reports(first_day: FirstDay) -> list[Path]:
    """A report in every kind of file that is read in a way of its own."""
    text = "".join(SENTENCES)
    page = f"<html><body><p>{text}</p></body></html>"
    rich = "{\\rtf1\\ansi " + "".join(f"\\u{ord(c)}?" for c in text) + "\\par}"
    written = {"text.txt": text, "page.html": page, **({"rich.rtf": rich} if find_office() else {})}
    for name, content in written.items():
        (first_day.out / name).write_text(content, encoding="utf-8")
    document = Document()
    document.add_paragraph(text)
    document.save(str(first_day.out / "word.docx"))
    pdfmetrics.registerFont(UnicodeCIDFont("STSong-Light"))
    canvas = Canvas(str(first_day.out / "print.pdf"))
    canvas.setFont("STSong-Light", 12)
    canvas.drawString(72, 700, text)
    canvas.save()
    return sorted(first_day.out.iterdir())


def test_reading_and_annotating(first_day: FirstDay, reports: list[Path], encoder_folder: Path) -> None:
    assert all(sentence in first_day.pizhu("read", *reports) for sentence in SENTENCES)
    light = [path for path in reports if path.suffix != ".rtf"]
    first_day.pizhu("annotate", *light, "--out", "annotated", "--formats", FORMATS)
    assert first_day.pizhu("metrics", "annotated").count("12件") == len(light)
    first_day.pizhu("compare", "text.txt", "word.docx", "--encoder", encoder_folder)
    assert first_day.offences() == []


def test_a_service_that_is_held(first_day: FirstDay) -> None:
    address = "http://127.0.0.1:8765"
    with first_day.running("-m", "pizhu", "serve", "--port", "8765") as service:
        first_day.ask(address)
        answer = json.loads(first_day.ask(f"{address}/annotate", "".join(SENTENCES).encode()))
        time.sleep(HELD)
        assert service.stop() == 0, service.printed
    assert answer["counts"]["metric"] == 1
    assert first_day.offences() == []


def test_training_and_evaluating(first_day: FirstDay, encoder_folder: Path, labelled: Report) -> None:
    write_records(first_day.out / "labelled.jsonl", labelled.records())
    first_day.environ["OMP_NUM_THREADS"] = "1"  # for so small a model, more would wait for each other
    small = {"encoder.name": encoder_folder, "encoder.frozen_layers": 0, "training.epochs": 1}
    small |= {"context.tokens": 96, "context.prefix": 16, "context.unit": 48}
    settings = [word for name, value in small.items() for word in ("--set", f"{name}={value}")]
    first_day.pizhu("train", "--data", "labelled.jsonl", "--no-corpus", "--out", "model", *settings)
    write_records(first_day.out / "unseen.jsonl", replace(labelled, doc="unseen.txt").records())
    first_day.pizhu("evaluate", "model", "unseen.jsonl", "--out", "evaluated", "--fast")
    assert first_day.offences() == []


def test_a_cluster_of_this_machine(first_day: FirstDay) -> None:
    (first_day.out / "text.txt").write_text("".join(SENTENCES), encoding="utf-8")
    first_day.pizhu("annotate", "text.txt", "--engine", "ray", "--workers", "1", "--out", "annotated")
    assert (first_day.out / "annotated" / "text.jsonl").exists()
    assert first_day.offences() == []
