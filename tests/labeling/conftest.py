"""A real Label Studio for all tests marked ``server``: started once, and always stopped."""

import os
import random
import shutil
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from pizhu.base.files import write_records
from pizhu.labeling.server import server as servers
from pizhu.labeling.server.database import remember
from pizhu.labeling.server.server import Server
from pizhu.labeling.server.venv import ENVIRONMENT_VARIABLE, ensure_environment
from pizhu.labeling.studio.client import connect

from . import postgresql_cluster
from .postgresql_cluster import Cluster

Records = Callable[..., Path]
NewServer = Callable[[Path], Path]
PEOPLE = [("甲", None), ("乙", "yi@office.example")]

KINDS = (("achievement",), ("shortcoming",), ("plan",), ("achievement", "metric"), ())
"""Of the invented sentences' right labels."""


@pytest.fixture(scope="session")
def environment() -> Path:
    """The virtual environment of Label Studio; made when it is missing."""
    folder = Path(os.environ.get(ENVIRONMENT_VARIABLE) or Path(__file__).parents[2] / ".venv-label-studio")
    ensure_environment(folder)
    return folder


@pytest.fixture(scope="session")
def new_server(environment: Path) -> NewServer:
    """Fills a folder that does not exist yet with a server's data, annotators 甲 and 乙 included, to be started there.

    The database takes a minute to make, so it is made once for each environment and copied.
    """
    kept = environment / "test-server"
    if not kept.exists():
        making = environment / "test-server.making"
        shutil.rmtree(making, ignore_errors=True)
        try:
            servers.start(making, environment=environment, annotators=PEOPLE)
        finally:
            servers.stop(making)
        making.replace(kept)

    def copy(folder: Path) -> Path:
        return Path(shutil.copytree(kept, folder))

    return copy


@pytest.fixture(scope="session")
def cluster() -> Iterator[Cluster]:
    """A PostgreSQL of the tests' own."""
    if reason := postgresql_cluster.missing():
        pytest.skip(reason)
    with postgresql_cluster.cluster() as made:
        yield made


@pytest.fixture(scope="session")
def new_postgresql_server(environment: Path, cluster: Cluster) -> NewServer:
    """As :func:`new_server`, its data in a new database of ``cluster``."""
    kept = environment / f"test-server-postgresql-{cluster.major}"
    if not kept.exists():
        making = environment / f"{kept.name}.making"
        shutil.rmtree(making, ignore_errors=True)
        database = cluster.create()
        try:
            servers.start(making, environment=environment, database=database, annotators=PEOPLE)
        finally:
            servers.stop(making)
        database.dump(making / "database.dump")
        making.replace(kept)

    def copy(folder: Path) -> Path:
        shutil.copytree(kept, folder)
        database = cluster.create()
        database.load(folder / "database.dump")
        remember(folder, database)
        return folder

    return copy


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def any_new_server(request: pytest.FixtureRequest) -> NewServer:
    """:func:`new_server` on each kind of database."""
    name = {"sqlite": "new_server", "postgresql": "new_postgresql_server"}[request.param]
    made: NewServer = request.getfixturevalue(name)
    return made


@pytest.fixture(scope="session")
def server(environment: Path, new_server: NewServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """It runs in a folder whose name holds Chinese and a space, with annotators 甲 and 乙."""
    folder = new_server(tmp_path_factory.mktemp("label") / "标注 服务器")
    try:
        yield servers.start(folder, environment=environment)
    finally:
        servers.stop(folder)


@pytest.fixture
def title(request: pytest.FixtureRequest) -> str:
    """A project of the test's own."""
    return f"项目 {request.node.name}"[:50]


@pytest.fixture
def records(tmp_path: Path) -> Records:
    """Writes a file of ``count`` sentence records, each with the fields given."""

    def write(count: int, name: str = "句子.jsonl", **fields: Any) -> Path:
        path = tmp_path / name
        write_records(
            path,
            (
                {
                    "id": f"{n:016x}",
                    "doc": "青禾县水务局2025年总结.txt",
                    "start": 10 * n,
                    "end": 10 * n + 9,
                    "kind": "sentence",
                    "text": f"第{n}段渠道完成清淤。",
                    "headings": ["一、主要工作", "（一）渠道管护"],
                    "previous": f"第{n - 1}段渠道完成清淤。" if n else "",
                    **fields,
                }
                for n in range(count)
            ),
        )
        return path

    return write


@pytest.fixture(scope="session")
def team() -> list[dict[str, Any]]:
    """Answers records of 甲 乙 丙 丁 on 24 invented reports whose right labels are known (``truth``).

    甲 and 乙 are careful. 丙 often answers within a blink and leaves nearly every proposal as it is, wrong ones too.
    丁 takes plans for achievements more and more often. Every third report is labelled blind; each fifth proposal is
    wrong.
    """
    draw = random.Random(6)
    clock = datetime(2026, 3, 2, 8, tzinfo=UTC)
    records = []
    for number in range(360):
        doc, blind = f"青禾县{number // 15 + 1:02}号报告.txt", number // 15 % 3 == 0
        truth = draw.choices(KINDS, (5, 2, 4, 3, 2))[0]
        wrong = draw.random() < 0.2
        proposed = draw.choice([kind for kind in KINDS if kind != truth]) if wrong else truth
        answers = []
        for name in draw.sample(sorted("甲乙丙丁"), 3):
            said = set(truth)
            if draw.random() < (0.04 if name in "甲乙" else 0.1):
                said ^= {draw.choice(("achievement", "metric"))}
            if name == "丁" and said == {"plan"} and draw.random() < number / 200 - 0.5:
                said = {"achievement"}
            if name == "丙" and not blind and draw.random() < 0.9:
                said = set(proposed)
            clock += timedelta(seconds=40)
            answers.append(
                {
                    "annotator": name,
                    "labels": sorted(said),
                    "at": clock.isoformat().replace("+00:00", "Z"),
                    "lead_time": round(draw.uniform(0.4, 2.4) if name == "丙" else draw.uniform(3, 9), 2),
                    "from_prediction": not blind,
                    "shown": {"model": "v1", "labels": list(proposed)},
                }
            )
        records.append(
            {
                "id": f"{number:016x}",
                "doc": doc,
                "start": 30 * number,
                "end": 30 * number + 24,
                "kind": "sentence",
                "text": f"第{number}段渠道清淤完成，灌溉面积达到{number + 20}万亩。",
                "headings": ["一、主要工作", "（一）渠道管护"],
                "previous": f"第{number - 1}段渠道的清淤年内启动。" if number % 15 else "",
                "answers": answers,
                "truth": list(truth),
            }
        )
    return records


@pytest.fixture
def tasks(server: Server) -> Callable[[int], list[Any]]:
    """All tasks of a project as the server has them."""

    def list_(project: int) -> list[Any]:
        with connect(server.access) as client:
            return list(client.tasks.list(project=project, fields="all", page_size=1000))

    return list_
