"""A workbook when the disk is full."""

from __future__ import annotations

import gc
import io
import sys
import tempfile
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest
from pizhu.annotate.writers import excel
from pizhu.data.labels import DEFAULT_LABELS
from pizhu.data.read import report_from_text

from .conftest import labelled_at_will

REPORT = report_from_text("一、主要工作\n\n全年接收档案3.2万卷。办件12件。\n", "总结.txt")


@pytest.mark.parametrize("where", ["rows", "packing", "file"])
def test_a_full_disk_under_a_workbook_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, where: str) -> None:
    """The temporary folder's and the output's; and nothing is told when what was begun is thrown away."""
    full, room = OSError(28, "No space left on device"), 3

    class Full(io.BytesIO):
        def write(self, data: Any, /) -> int:
            nonlocal room
            room -= 1
            if room < 0:
                raise OSError(28, "No space left on device")
            return super().write(data)

    def fail(*_: object, **__: object) -> None:
        raise full

    if where == "rows":
        monkeypatch.setattr("xlsxwriter.worksheet.Worksheet._opt_reopen", fail)
        monkeypatch.setattr("xlsxwriter.worksheet.Worksheet._write_single_row", fail)
    elif where == "packing":
        monkeypatch.setattr("xlsxwriter.packager.Packager._create_package", fail)
    else:
        monkeypatch.setattr(excel, "replacing_bytes", lambda path: nullcontext(Full()))
    told: list[Any] = []
    monkeypatch.setattr(sys, "unraisablehook", told.append)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temporary"))
    (tmp_path / "temporary").mkdir()
    path = tmp_path / "书.xlsx"
    with pytest.raises(OSError, match="No space left") as caught:
        excel.write([("甲", labelled_at_will(REPORT).records())], DEFAULT_LABELS, path)
    assert caught.value.filename == (str(path) if where == "file" else tempfile.gettempdir())
    del caught
    gc.collect()
    assert told == [] and not list((tmp_path / "temporary").iterdir())
