"""The switches that stop dependencies from reporting home; ``tests/test_silence.py`` checks that they work."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import onnxruntime
import pytest
from pizhu.base.silence import DEFAULTS, SWITCHES
from pizhu.models.paths import SHIPPED
from pizhu.models.runtime import OnnxRuntime

TOLD = "import json, os; print(json.dumps(dict(os.environ)))"
CHILD = f"import pizhu, subprocess, sys; subprocess.run([sys.executable, '-c', {TOLD!r}])"


def environment_after(code: str, given: dict[str, str]) -> dict[str, str]:
    """What a fresh Python has in its environment after ``code`` has been run with ``given``."""
    clean = {name: value for name, value in os.environ.items() if name not in {*SWITCHES, *DEFAULTS}}
    told = subprocess.run([sys.executable, "-c", code], env=clean | given, capture_output=True, check=True)
    found: dict[str, str] = json.loads(told.stdout)
    return found


@pytest.mark.parametrize("code", [f"import pizhu; {TOLD}", CHILD], ids=["here", "child"])
def test_they_are_set_by_the_first_import(code: str) -> None:
    assert SWITCHES.items() <= environment_after(code, {}).items()
    assert DEFAULTS.items() <= environment_after(code, {}).items()


def test_what_the_environment_holds_does_not_switch_reports_on() -> None:
    other = {name: "1" if value == "0" else "0" for name, value in SWITCHES.items()}
    assert SWITCHES.items() <= environment_after(f"import pizhu; {TOLD}", other).items()


def test_a_user_may_have_the_hub() -> None:
    assert environment_after(f"import pizhu; {TOLD}", {"HF_HUB_OFFLINE": "0"})["HF_HUB_OFFLINE"] == "0"


def test_the_import_loads_nothing_that_reads_them() -> None:
    readers = ("onnxruntime", "ray", "huggingface_hub", "transformers", "datasets")
    code = f"import json, sys, pizhu; print(json.dumps(dict.fromkeys(set({readers!r}) & set(sys.modules), 'loaded')))"
    assert environment_after(code, {}) == {}


def test_onnxruntime_is_told_even_if_it_was_imported_before(monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[str] = []
    monkeypatch.setattr(onnxruntime, "disable_telemetry_events", lambda: calls.append("told"))
    OnnxRuntime(SHIPPED, threads=1)
    assert calls == ["told"]
