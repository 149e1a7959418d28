"""Each sample report reads the same from every format."""

import subprocess
from collections import Counter
from pathlib import Path

import pytest
from pizhu.data.read import read_report
from pizhu.data.readers import office
from pizhu.data.report import Report, normalise
from pizhu.tests.support.sample_reports import FORMATS, Sample, as_docx, load

SAMPLES = load()


def sentences(report: Report) -> list[tuple[str, str]]:
    return [(s.kind, normalise(s.text)) for s in report.sentences if s.kind != "furniture"]


def paths(report: Report) -> Counter[tuple[str, tuple[str, ...]]]:
    return Counter(
        (normalise(s.text), tuple(map(normalise, s.headings))) for s in report.sentences if s.kind == "sentence"
    )


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample.name)
def test_every_format_gives_the_marked_sentences_and_paths(tmp_path: Path, name: str, sample: Sample) -> None:
    ending, make = FORMATS[name]
    if name == "PDF":
        pytest.importorskip("reportlab", reason="reportlab makes the PDF")
        pytest.importorskip("pypdfium2", reason="PDF needs pizhu[pdf]")
    path = tmp_path / f"样例{ending}"
    path.write_bytes(make(sample))
    report, truth = read_report(path), sample.truth()
    assert sentences(report) == sentences(truth)
    assert paths(report) == paths(truth)


@pytest.mark.skipif(office.find_office() is None, reason="LibreOffice is not installed")
@pytest.mark.slow
@pytest.mark.parametrize(("ending", "least"), [("docx", 1.0), ("odt", 1.0), ("doc", 0.95), ("pdf", 0.95)])
def test_what_libreoffice_makes_of_the_word_files(tmp_path: Path, ending: str, least: float) -> None:
    """Its .doc numbers restarted lists anew and its PDF has foot-notes at the page's end: some paths differ."""
    for sample in SAMPLES:
        (tmp_path / f"{sample.name}.docx").write_bytes(as_docx(sample))
    command = [office.find_office() or "", f"-env:UserInstallation={(tmp_path / 'p').as_uri()}", "--headless"]
    command += ["--convert-to", ending, "--outdir", str(tmp_path / "out"), *map(str, tmp_path.glob("*.docx"))]
    subprocess.run(command, check=True, capture_output=True, timeout=300)
    right = total = 0
    for sample in SAMPLES:
        found, wanted = paths(read_report(tmp_path / "out" / f"{sample.name}.{ending}")), paths(sample.truth())
        right += sum((found & wanted).values())
        total += sum(wanted.values())
    assert right >= least * total
