"""Kill the command at random moments and compare: bench/kills.py REPORTS [--model FOLDER] [--kills 50] [--seed 1]

Runs ``pizhu annotate`` once undisturbed on the reports in the folder REPORTS. Then it runs the command again and again
into another folder and kills it (SIGKILL, on Windows TerminateProcess) at random moments. When a run completes, the
script compares its folder with the first one byte for byte, and starts the next folder. Prints when the kills happened
and how many folders were the same; exit status 1 if one was not.
"""

from __future__ import annotations

import argparse
import random
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from pizhu.models.paths import default_model

FORMATS = "jsonl,html,jsonl-parts"


def contents(folder: Path) -> dict[str, bytes]:
    """The content of every file under ``folder``, including hidden ones."""
    return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def stage(out: Path) -> str:
    """How far a killed run had got."""
    if not (out / "manifest.json").exists():
        return "before the run folder was made"
    if not (out / ".journal.jsonl").exists():
        return "before or after the work"
    if not any(out.glob("*.jsonl")):
        return "before the first report was done"
    return "with a file half written" if any(out.rglob(".*.part")) else "between two files"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("reports", type=Path)
    parser.add_argument("--model", type=Path, default=default_model())
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    pizhu = Path(sys.executable).with_name("pizhu")
    command = [str(pizhu), "annotate", str(args.reports), "--model", str(args.model), "--formats", FORMATS, "--out"]
    chance = random.Random(args.seed)
    quiet = subprocess.DEVNULL
    fell: Counter[str] = Counter()
    through = same = 0
    with tempfile.TemporaryDirectory() as folder:
        peace = Path(folder, "peace")
        began = time.perf_counter()
        status = subprocess.run([*command, str(peace)], stdout=quiet, stderr=quiet, check=False).returncode
        whole = time.perf_counter() - began
        if status not in (0, 1):
            raise SystemExit("the run in peace failed; run the command by hand to see why: " + " ".join(command))
        wanted = contents(peace)
        while fell.total() < args.kills or through < 1:
            out = Path(folder, f"killed-{through}")
            while True:
                process = subprocess.Popen([*command, str(out)], stdout=quiet, stderr=quiet)
                left = fell.total() < args.kills
                try:
                    process.wait(chance.uniform(0, whole) if left else None)
                except subprocess.TimeoutExpired:
                    process.kill()
                    process.wait()
                    fell[stage(out)] += 1
                    continue
                break
            through += 1
            found = contents(out)
            differ = sorted(n for n in {*found, *wanted} if found.get(n) != wanted.get(n))
            same += not differ and process.returncode == status
            if differ:
                print(f"differ: {', '.join(differ)}")
    print(f"{fell.total()} kills, of which {', '.join(f'{n} {where}' for where, n in fell.most_common())}")
    print(
        f"{through} runs came through, {same} of them the same as the one in peace ({len(wanted)} files, {whole:.1f} s)"
    )
    if same < through:
        raise SystemExit(1)


if __name__ == "__main__":
    main()
