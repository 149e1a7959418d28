"""What `pizhu label pull` prints about sentences that Label Studio has lost."""

import shlex
from pathlib import Path

import pytest
from pizhu.cli import app
from pizhu.labeling.studio import pull as pulling
from pizhu.labeling.studio.pull import Pulled
from typer.testing import CliRunner

from .test_rename import TOML


@pytest.fixture
def told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The words of a pull from another machine, after which two sentences are gone."""
    output = tmp_path / "答 案.jsonl"
    (tmp_path / "标签.toml").write_text(TOML, encoding="utf-8")
    monkeypatch.setenv("PIZHU_LABEL_STUDIO_TOKEN", "a-token")
    monkeypatch.setattr(pulling, "pull", lambda *_, **__: Pulled(output, {"unlabelled": 3}, {}, deleted=2))
    return ["label", "pull", str(output), "--folder", str(tmp_path / "没有"), "--url", "http://pc-7:8080"]


def test_the_command_that_puts_them_back_goes_where_they_came_from(told: list[str], tmp_path: Path) -> None:
    labels = str(tmp_path / "标签.toml")
    outcome = CliRunner().invoke(app, [*told, "--project", "县局 二组", "--labels", labels])
    assert outcome.exit_code == 0, outcome.output
    [line] = [line for line in outcome.stdout.splitlines() if line.startswith("put them back with: ")]
    words = shlex.split(line.removeprefix("put them back with: "))
    options = dict(zip(words[4::2], words[5::2], strict=True))
    assert words[:4] == ["pizhu", "label", "transfer", told[2]]
    assert (options["--project"], options["--labels"], options["--url"]) == ("县局 二组", labels, "http://pc-7:8080")


def test_what_cannot_be_put_back(told: list[str]) -> None:
    outcome = CliRunner().invoke(app, [*told, "--task", "spans"])
    assert "2 sentences were deleted" in outcome.stdout and "label transfer" not in outcome.stdout
    assert "answers of --task spans cannot be transferred" in outcome.stdout
