"""The wheel is whole: what it holds, and nothing of the repository beside it, reads, annotates and compares."""

from __future__ import annotations

import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pizhu
import pytest

pytest.importorskip("setuptools", reason="setuptools, which builds the wheel, is not installed")
ROOT = Path(pizhu.__file__).parent
# The wheel stands before the editable installation, and the current folder nowhere.
BEGIN = """import sys
sys.path[:] = [sys.argv.pop(1), *filter(None, sys.path)]
import pizhu
print(pizhu.__file__, flush=True)
from pizhu.cli import main
main()
"""


@pytest.mark.slow
def test_the_wheel_works_alone(tmp_path: Path) -> None:
    kept = ("pyproject.toml", "README.md", "LICENSE")
    source, wheels, unpacked, work = (tmp_path / name for name in ("source", "wheels", "unpacked", "工作"))
    tracked = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=False).stdout.decode()
    if not tracked:
        pytest.skip("this is no git checkout, so nobody knows which files belong to it")
    for name in filter(None, tracked.split("\0")):
        if (ROOT / name).is_file() and (name in kept or "/" in name or name.endswith((".py", ".typed"))):
            (source / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(ROOT / name, source / name)
    build = [sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "--no-build-isolation", "--no-index", "-w"]
    subprocess.run([*build, str(wheels), "."], cwd=source, check=True, timeout=300)
    [wheel] = wheels.iterdir()
    with zipfile.ZipFile(wheel) as archive:
        assert not [
            n for n in archive.namelist() if n.startswith(("pizhu/tests/", "pizhu/bench/", "pizhu/data/pairs/"))
        ]
        archive.extractall(unpacked)
    work.mkdir()
    sample = next(p for p in sorted((ROOT / "data" / "samples").iterdir()) if p.suffix == ".txt")
    for name in ("今年.txt", "明年.txt"):
        shutil.copyfile(sample, work / name)
    for words in (
        ["read", "今年.txt"],
        ["annotate", "今年.txt", "--out", "结果", "--formats", "jsonl,html,docx,csv,txt"],
        ["metrics", "今年.txt"],
        ["compare", "今年.txt", "明年.txt", "--encoder", "none", "--out", "对照"],
        ["label", "config", "--help"],
    ):
        command = [sys.executable, "-c", BEGIN, str(unpacked), *words]
        done = subprocess.run(command, cwd=work, capture_output=True, encoding="utf-8", timeout=300, check=False)
        assert done.returncode == 0, f"{words}: {done.stderr}"
        assert done.stdout.startswith(str(unpacked))
    assert {p.suffix for p in (work / "结果").iterdir()} >= {".jsonl", ".html", ".docx", ".csv", ".txt"}
    assert (work / "对照").is_dir()
