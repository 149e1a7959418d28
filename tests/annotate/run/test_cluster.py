"""A run on a cluster gives the same bytes as one process, whatever is killed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import psutil
import pytest
from pizhu.annotate.inputs.find import Inputs
from pizhu.annotate.run import cluster
from pizhu.annotate.run.cluster import Cluster
from pizhu.annotate.run.run import Outcome, RunOptions, annotate_files, conduct
from pizhu.annotate.run.runfolder import JOURNAL, RunFolder, Settings, head_of
from pizhu.base.errors import ConfigError
from pizhu.models.annotator import Annotator

pytest.importorskip("pyarrow", reason="pyarrow is not installed: pip install 'pizhu[ray]'")
ray = pytest.mark.skipif(find_spec("ray") is None, reason="Ray is not installed: pip install 'pizhu[ray]'")
unix = pytest.mark.skipif(sys.platform == "win32", reason="kills by signals")

PIZHU = str(Path(sys.executable).with_name("pizhu"))
REPORTS = 40


@pytest.fixture(scope="module")
def reports(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Reports, names that meet, a bad one, and some in an archive."""
    import zipfile

    folder = tmp_path_factory.mktemp("reports")
    texts = [f"一、主要工作\n\n{'全年接收档案九万卷。' * (20 + i % 7 * 30)}编号{i}。\n" for i in range(REPORTS)]
    for i, text in enumerate(texts[:-4]):
        path = folder / f"{i % 3}" / f"总结{i // 3}.txt"
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
    (folder / "0" / "空.txt").write_bytes(b"")
    with zipfile.ZipFile(folder / "归档.zip", "w") as archive:
        for i, text in enumerate(texts[-4:]):
            archive.writestr(f"总结{i}.txt", text)
    return folder


@pytest.fixture(scope="module")
def command(reports: Path, model_folder: Path) -> list[str]:
    words = ["annotate", str(reports), str(reports / "归档.zip"), "--model", str(model_folder)]
    return [PIZHU, *words, "--formats", "jsonl,txt,jsonl-parts", "--json"]


@pytest.fixture(scope="module")
def expected(command: list[str], tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """The run folder of one process. It lies as deep as the others: the manifest holds the inputs' relative paths."""
    out = tmp_path_factory.mktemp("runs") / "out"
    answer = subprocess.run([*command, "--out", str(out)], capture_output=True, encoding="utf-8", check=False)
    assert answer.returncode == 1 and json.loads(answer.stdout)["reports"] == REPORTS
    return contents(out)


@pytest.fixture
def out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("runs") / "out"


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.fixture(scope="module")
def two_nodes() -> Iterator[Any]:
    """A cluster of two nodes on this machine, one processor each."""
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    from ray.cluster_utils import Cluster as Nodes

    size: dict[str, Any] = {"num_cpus": 1, "object_store_memory": 100 * 2**20}
    soon = {"health_check_initial_delay_ms": 0, "health_check_period_ms": 500, "health_check_failure_threshold": 3}
    nodes = Nodes(initialize_head=True, head_node_args={**size, "include_dashboard": False, "_system_config": soon})
    nodes.add_node(**size)
    yield nodes
    nodes.shutdown()


def begin(command: list[str], out: Path, *words: str) -> subprocess.Popen[str]:
    words = ("--out", str(out), "--engine", "ray", "--block", "1", *words)
    return subprocess.Popen([*command, *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE, encoding="utf-8")


def end(process: subprocess.Popen[str]) -> dict[str, Any]:
    """What the command prints; status 1 because one report is empty."""
    told, errors = process.communicate(timeout=300)
    assert process.returncode == 1, errors
    return dict(json.loads(told))


def wait(process: subprocess.Popen[str], until: Callable[[], bool]) -> None:
    while not until():
        assert process.poll() is None, process.communicate()
        time.sleep(0.02)


def recorded(out: Path, least: int) -> Callable[[], bool]:
    """Whether the driver has told the journal of ``least`` inputs; workers may have written more."""
    journal = out / JOURNAL
    return lambda: journal.is_file() and journal.read_bytes().count(b"\n") >= least


def workers(raylet: psutil.Process) -> list[psutil.Process]:
    """The processes of a node that hold the model; Ray names them so."""
    found = []
    for child in raylet.children(recursive=True):
        try:
            if "MapWorker" in " ".join(child.cmdline()):
                found.append(child)
        except psutil.NoSuchProcess:
            continue
    return found


@pytest.mark.parametrize("setting", [{"workers": 0}, {"cpus": 0}, {"gpus": -1}, {"block": 0}, {"address": "ray://a:1"}])
def test_impossible_clusters(setting: dict[str, Any]) -> None:
    with pytest.raises(ConfigError, match=r"expected|HOST:PORT"):
        Cluster(**setting)


def test_an_unknown_engine(pizhu: Callable[..., Any], tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("全年接收档案九万卷。", encoding="utf-8")
    answer = pizhu("annotate", tmp_path / "a.txt", "--out", tmp_path / "out", "--engine", "spark")
    assert answer.status == 2 and "expected local or ray" in answer.err


class Here:
    """Turns of a cluster, taken in this process by a worker that ``dies`` when it meets certain reports."""

    def __init__(
        self, monkeypatch: pytest.MonkeyPatch, job: cluster._Job, model: Any, dies: Callable[[str], bool]
    ) -> None:
        self.given: list[str] = []
        worker = cluster._Worker(job)
        monkeypatch.setattr(cluster._Driver, "_all", lambda driver: cluster._feed(*(*self.feed(driver), None)))
        monkeypatch.setattr(cluster._Driver, "_alone", lambda driver, tasks: [cluster._packed([t]) for t in tasks])
        monkeypatch.setattr(Annotator, "load", lambda *_, **__: model)

        def answers(driver: cluster._Driver, blocks: Any) -> Iterator[Any]:
            for block in blocks:
                tasks = cluster._unpacked(block)
                docs = [""] if isinstance(tasks, int) else [task.item.doc for task in tasks]
                self.given += filter(None, docs)
                if not any(map(dies, docs)):
                    yield cluster._unpacked(worker(block))

        monkeypatch.setattr(cluster._Driver, "_replies", answers)

    def feed(self, driver: Any) -> tuple[Any, ...]:
        return driver._inputs, driver._run.out, driver._run.settings, driver._open, 2


@pytest.fixture
def run_here(model: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[..., Any]:
    """A run in this process by the code of a cluster's driver and worker, Ray aside."""
    for folder in ("一", "二"):
        for stem in "abc":
            path = tmp_path / folder / f"{stem}.txt"
            path.parent.mkdir(exist_ok=True)
            path.write_text(f"一、主要工作\n\n{folder}全年接收档案九万卷{stem}。", encoding="utf-8")
    paths = [tmp_path / "一", tmp_path / "二"]
    settings = Settings(("jsonl", "txt"))

    def run(out: Path, dies: Callable[[str], bool] = lambda doc: False, paths: list[Path] = paths, **head: Any) -> Any:
        def engine(inputs: Inputs, folder: RunFolder, done: Callable[[Outcome], None]) -> None:
            job = cluster._Job(
                folder.out, settings, {**folder.head, **head}, model.about.labels, Path("model"), False, 1, 0
            )
            here = Here(monkeypatch, job, model, dies)
            result.append(here.given)
            cluster._Driver(Cluster(block=2), 1, job, inputs, folder, done).go()

        result: list[Any] = []
        monkeypatch.setattr(cluster, "_PAUSES", ())
        return conduct(engine, paths, out, RunOptions(settings), model.about, model.runtime.kind), *result

    return run


def test_blocks_that_are_lost_are_done_again(run_here: Callable[..., Any], model: Any, tmp_path: Path) -> None:
    annotate_files([tmp_path / "一", tmp_path / "二"], tmp_path / "peace", model, ("jsonl", "txt"))
    lost = iter([True, True, True])
    result, given = run_here(tmp_path / "out", lambda doc: doc == "a.txt" and next(lost, False))
    assert (result.reports, result.failed) == (6, []) and len(given) > 6
    assert contents(tmp_path / "out") == contents(tmp_path / "peace")
    result, given = run_here(tmp_path / "out", lambda doc: doc == "c.txt" and given.count("c.txt") < 3)
    assert (result.kept, result.reports) == (6, 0)
    assert contents(tmp_path / "out") == contents(tmp_path / "peace")


def test_a_report_that_ends_its_worker_fails_alone(run_here: Callable[..., Any], model: Any, tmp_path: Path) -> None:
    result, given = run_here(tmp_path / "out", lambda doc: doc == "b.txt")
    assert [name for name, _ in result.failed] == [str(tmp_path / folder / "b.txt") for folder in ("一", "二")]
    assert (result.reports, given.count("b.txt")) == (4, 6)
    result, given = run_here(tmp_path / "out")  # it is no fault of theirs for certain: they are tried again
    assert (result.reports, result.kept, result.failed) == (2, 4, [])
    annotate_files([tmp_path / "一", tmp_path / "二"], tmp_path / "peace", model, ("jsonl", "txt"))
    assert contents(tmp_path / "out") == contents(tmp_path / "peace")


def test_a_cluster_whose_workers_cannot_begin(run_here: Callable[..., Any], tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="no Ray worker started"):
        run_here(tmp_path / "out", lambda doc: True)


def test_a_node_with_other_packages(run_here: Callable[..., Any], model: Any, tmp_path: Path) -> None:
    versions = head_of(Settings(), model.about, model.runtime.kind)["versions"]
    with pytest.raises(ConfigError, match=r"started with lxml version 0\.0, not version .* on node"):
        run_here(tmp_path / "out", versions=versions | {"lxml": "0.0"})
    with pytest.raises(ConfigError, match=r"started with the runtime torch on cpu, not hashed on node"):
        run_here(tmp_path / "out", runtime="torch on cpu")


def test_a_node_that_does_not_see_the_files(
    run_here: Callable[..., Any], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(cluster, "_seen", lambda item: item.doc != "b.txt")
        with pytest.raises(ConfigError, match=r"does not see .*b\.txt"):
            run_here(tmp_path / "out")
    with monkeypatch.context() as patch:
        patch.setattr(cluster, "LOCK", ".another")
        with pytest.raises(ConfigError, match="does not see the run folder"):
            run_here(tmp_path / "out")
    missing = tmp_path / "missing.txt"
    result, _ = run_here(tmp_path / "out", paths=[tmp_path / "一", missing])
    assert result.failed == [(str(missing), f"{missing} does not exist")]


def test_a_node_that_cannot_write(
    run_here: Callable[..., Any], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def full(*_: Any, **__: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("pizhu.annotate.writers.write", full)
    with pytest.raises(OSError, match=r"No space left on device \(node "):
        run_here(tmp_path / "out")


@ray
@unix
@pytest.mark.slow
def test_a_node_is_killed_in_the_middle(
    two_nodes: Any, command: list[str], expected: dict[str, bytes], out: Path
) -> None:
    (lost,) = two_nodes.worker_nodes
    raylet = psutil.Process(lost.all_processes["raylet"][0].process.pid)
    process = begin(command, out, "--ray-address", two_nodes.address)
    wait(process, lambda: bool(workers(raylet)) and recorded(out, 3)())
    doomed = workers(raylet)
    for victim in (raylet, *doomed):
        victim.kill()
    assert len(list(out.glob("*.jsonl"))) < REPORTS  # in the middle it was
    body = end(process)
    assert doomed and (body["reports"], len(body["failed"])) == (REPORTS, 1)
    assert contents(out) == expected


@ray
@unix
@pytest.mark.slow
def test_a_cluster_of_its_own_and_a_driver_that_is_killed(
    command: list[str], expected: dict[str, bytes], out: Path
) -> None:
    process = begin(command, out, "--workers", "1")
    wait(process, recorded(out, 3))
    listening = {c.laddr.ip for child in family(process) for c in child.net_connections() if c.status == "LISTEN"}
    assert listening <= {"127.0.0.1", "::ffff:127.0.0.1"}
    process.kill()
    process.communicate()
    assert len(list(out.glob("*.jsonl"))) < REPORTS
    body = end(begin(command, out, "--workers", "1"))
    assert 0 < body["kept"] < REPORTS and body["kept"] + body["reports"] == REPORTS
    assert contents(out) == expected


def family(process: subprocess.Popen[str]) -> list[psutil.Process]:
    own = psutil.Process(process.pid)
    return [own, *own.children(recursive=True)]
