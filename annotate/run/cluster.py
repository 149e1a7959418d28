"""A run on a Ray cluster: the driver names the tasks and keeps the record, workers read, answer and write.

The tasks flow through Ray Data. A process beside the driver names them, a block at a time and never far ahead; workers,
which load the model once, do the blocks and write the outputs where all nodes see them, beside their place and renamed,
so that doing a block twice does no harm; what became of the inputs comes back and goes into the run's journal. Workers
that die are started again, and their blocks given out again. Blocks that fail all the same are gone over once more,
input by input, so that one input that kills whoever touches it is recorded as failed and takes no other with it.
"""

from __future__ import annotations

import logging
import pickle
import platform
import time
import warnings
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import partial
from importlib.util import find_spec
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...base.errors import ConfigError, MissingExtraError, PizhuError
from ...base.files import leftovers
from ...base.inside import remove
from ...data.isolation.pool import ReaderPool
from ...data.labels import LabelSet
from ...models.annotator import Annotator
from ...models.folder import load_about
from ...models.runtime import cores, kind_of
from ..inputs.base import Input
from ..inputs.find import Inputs
from .manifest import Entry, difference
from .ray_here import ray_here
from .reading import Reading
from .reuse import AnswerCache
from .run import REUSED, Outcome, RunOptions, RunResult, Task, conduct, plan, work, write_outcome
from .runfolder import LOCK, RunFolder, Settings, head_of

if TYPE_CHECKING:
    import pyarrow as pa
    from ray.data import Dataset

_BLOCK_BYTES = 2**20  # of reports that travel with their tasks: out of archives and tables
_STORE = 200 * 2**20  # bytes of the object store of a cluster of our own: only tasks and outcomes pass through it
_TURNS = 3  # how often an input is given out before it is called failed
_RETRIES = 2  # of a block within a turn, where its worker dies
_LEFT_AT_ONCE = 256  # tasks in the driver's hands
_PAUSES = (1.0, 5.0)  # seconds; shared storage has its moments


@dataclass(frozen=True)
class Cluster:
    """Which cluster, and how much of it.

    Attributes:
        address: of a cluster that runs (``HOST:PORT`` of its head node, or ``auto``); None starts one on this machine.
        workers: how many processes hold the model; None takes as many as the cluster has room for.
        cpus: processors of a worker, all of one node.
        gpus: graphics cards of a worker; 0 computes on processors.
        block: the most reports that a worker is given at once, and does again if it dies.

    Raises:
        ConfigError: an impossible number, or an address for Ray's remote clients.
    """

    address: str | None = None
    workers: int | None = None
    cpus: int = 1
    gpus: int = 0
    block: int = 8

    def __post_init__(self) -> None:
        for name, least in (("workers", 1), ("cpus", 1), ("gpus", 0), ("block", 1)):
            if (value := getattr(self, name)) is not None and value < least:
                raise ConfigError(f"{name} of the cluster is {value}, expected {least} or more")
        if self.address and self.address.startswith("ray://"):
            raise ConfigError(
                f"{self.address} is for Ray's remote clients; run the command on a node of the cluster, with "
                "HOST:PORT of its head node, or auto"
            )


def annotate_on_cluster(
    inputs: Iterable[Path | str] | Inputs,
    out: Path,
    model: Path,
    cluster: Cluster,
    options: RunOptions,
) -> RunResult:
    """:func:`.run.annotate_files` with the work done by ``cluster``: the same run folder, byte for byte.

    The inputs, ``out`` and ``model`` must be seen by all nodes under the same paths.

    Raises:
        MissingExtraError: Ray is not installed.
        ConfigError: as ``annotate_files``; no such cluster, or one without room for a worker; or a node sees other
            files or has other versions of the packages than the driver.
        ModelError: the model cannot be loaded, here or on a node.
        OSError: a node cannot write.
    """
    _check_ray()
    model = model.resolve()
    about = load_about(model)

    def there(inputs: Inputs, run: RunFolder, done: Callable[[Outcome], None]) -> None:
        again = options.retry_failed
        job = _Job(run.out, options.settings, run.head, about.labels, model, again, cluster.cpus, cluster.gpus)
        try:
            with _connected(cluster) as workers:
                _Driver(cluster, workers, job, inputs, run, done).go()
        finally:
            for part in list(leftovers(run.out)):  # of workers that were killed
                remove(run.out, part)

    runtime = kind_of(model, gpu=cluster.gpus > 0)
    result = conduct(there, inputs, out, options, about, runtime)
    result.written.sort()
    result.failed.sort()
    return result


@dataclass(frozen=True)
class _Job:
    """What every worker is told once."""

    out: Path
    settings: Settings
    head: dict[str, Any]
    labels: LabelSet
    model: Path
    retry_failed: bool
    cpus: int
    gpus: int


@dataclass(frozen=True)
class _Reply:
    """A worker's answer to a block.

    Attributes:
        node: where it is.
        outcomes: what became of the tasks.
        absent: files that it does not see.
        trouble: why it cannot work at all.
        total: how many tasks there are, in answer to the last block.
    """

    node: str
    outcomes: list[Outcome] = field(default_factory=list)
    absent: list[Path] = field(default_factory=list)
    trouble: PizhuError | OSError | None = None
    total: int | None = None


class _Worker:
    """Does blocks of tasks; one a process, which loads the model when the first block comes."""

    def __init__(self, job: _Job) -> None:
        self._job = job
        self._annotator: Annotator | None = None
        self._reader = ReaderPool()  # which ends with this process
        self._answers = AnswerCache(REUSED)

    def __call__(self, table: pa.Table) -> pa.Table:
        return _packed(self._reply(_unpacked(table), platform.node()))

    def _reply(self, block: list[Task] | int, node: str) -> _Reply:
        if isinstance(block, int):
            return _Reply(node, total=block)
        try:
            if self._annotator is None:
                self._annotator = self._begin(node)
            absent = [task.item.place for task in block if not _seen(task.item)]
            return _Reply(node, self._do(block, self._annotator), absent)
        except (PizhuError, OSError) as error:  # carried as it is, because the driver shall stop and say it
            return _Reply(node, trouble=error)

    def _begin(self, node: str) -> Annotator:
        job = self._job
        for pause in (*_PAUSES, None):
            if (job.out / LOCK).exists():  # it does where this node sees what the driver sees, for it holds it
                break
            if pause is None:
                raise ConfigError(
                    f"node {node} does not see the run folder {job.out}; name one with --out on storage that all "
                    "nodes share"
                )
            time.sleep(pause)
        annotator = Annotator.load(job.model, device=None if job.gpus else "cpu", threads=job.cpus)
        if found := difference(job.head, head_of(job.settings, annotator.about, annotator.runtime.kind)):
            raise ConfigError(f"the run {found} on node {node}; bring all nodes to the same state")
        return annotator

    def _do(self, block: list[Task], annotator: Annotator) -> list[Outcome]:
        job = self._job
        for pause in (*_PAUSES, None):
            outcomes: list[Outcome] = []
            try:
                work(
                    block,
                    job.out,
                    job.settings,
                    annotator,
                    outcomes.append,
                    self._reader,
                    answers=self._answers,
                    retry_failed=job.retry_failed,
                )
                break
            except OSError:
                if pause is None:
                    raise
                time.sleep(pause)
        return outcomes


def _seen(item: Input) -> bool:
    """Whether this node sees the file, where the report is in one of its own."""
    carried = item.data is not None or item.text is not None or item.trouble or item.end
    return bool(carried) or item.place.exists()


class _Driver:
    """Hands out an open run's tasks and settles what comes back."""

    def __init__(
        self, cluster: Cluster, workers: int, job: _Job, inputs: Inputs, run: RunFolder, done: Callable[[Outcome], None]
    ) -> None:
        self._cluster, self._workers, self._job = cluster, workers, job
        self._inputs, self._run, self._done = inputs, run, done
        self._open = dict(run.entries)  # what is known of inputs, but not found out in this run

    def go(self) -> None:
        """Do everything: once in blocks, then what is left of them alone."""
        total, settled = self._turn(self._all())
        if total is None and not settled:
            raise ConfigError("no Ray worker started; is pizhu installed on the nodes? See Ray's logs:")
        if settled == total:
            return
        for _ in range(_TURNS - 1):
            left = self._left()
            while some := list(islice(left, _LEFT_AT_ONCE)):
                self._turn(self._alone(some))
        for task in self._left():
            reason = f"{task.item.doc} was not done, its worker ended each time it was tried (out of memory?)"
            job = self._job
            entry = write_outcome(Reading("", reason=reason), job.out, task.name, job.settings, job.labels)
            self._done(Outcome(task.key, task.item.shown, entry))

    def _turn(self, blocks: Dataset) -> tuple[int | None, int]:
        """Have blocks done; returns how many tasks there are, where that was told, and how many were settled."""
        total, settled = None, 0
        for reply in self._replies(blocks):
            self._check(reply)
            total = total if reply.total is None else reply.total
            for outcome in reply.outcomes:
                self._open.pop(outcome.key, None)
                self._done(outcome)
            settled += len(reply.outcomes)
        return total, settled

    def _replies(self, blocks: Dataset) -> Iterator[_Reply]:
        from ray.data import ActorPoolStrategy
        from ray.util.annotations import RayDeprecationWarning

        with warnings.catch_warnings():
            # Ray means to drop max_task_retries some day, and names nothing that bounds retries in its stead.
            warnings.simplefilter("ignore", RayDeprecationWarning)
            replies = blocks.map_batches(
                _Worker,
                fn_constructor_args=(self._job,),
                batch_size=1,
                batch_format="pyarrow",
                compute=ActorPoolStrategy(size=self._workers, max_tasks_in_flight_per_actor=2),
                num_cpus=self._cluster.cpus,
                num_gpus=self._cluster.gpus or None,
                max_task_retries=_RETRIES,
            )
        for row in replies.iter_rows():
            yield pickle.loads(row[_COLUMN])

    def _check(self, reply: _Reply) -> None:
        if isinstance(reply.trouble, OSError):
            error = reply.trouble
            raise OSError(error.errno, f"{error.strerror} (node {reply.node})", error.filename)
        if reply.trouble is not None:
            raise reply.trouble
        for path in reply.absent:
            if path.exists():
                raise ConfigError(
                    f"node {reply.node} does not see {path}; name inputs on storage that all nodes share, or pack them "
                    "into an archive or a table, which the driver alone reads"
                )

    def _all(self) -> Dataset:
        """Blocks of all tasks, named by a process on this node that keeps a little ahead of the workers."""
        import ray

        here = {"ray.io/node-id": ray.get_runtime_context().get_node_id()}
        feed = partial(_feed, self._inputs, self._run.out, self._run.settings, self._open, self._cluster.block)
        begin = ray.data.from_arrow(_packed(None))
        return begin.map_batches(feed, batch_format="pyarrow", num_cpus=0, label_selector=here)

    def _alone(self, tasks: list[Task]) -> Dataset:
        import ray

        return ray.data.from_arrow([_packed([task]) for task in tasks])

    def _left(self) -> Iterator[Task]:
        """The tasks that are not settled, by the names that they were given out with."""
        for task in plan(self._inputs, self._run.out, self._run.settings, self._run.entries, again=True):
            if task.key not in self._run.entries or task.key in self._open:
                yield task


def _feed(
    inputs: Inputs, out: Path, settings: Settings, entries: dict[str, Entry], most: int, begin: pa.Table
) -> Iterator[pa.Table]:
    """Tasks in blocks of at most ``most`` and about ``_BLOCK_BYTES``, each a table of one row; then their number."""
    block: list[Task] = []
    size = total = 0
    for task in plan(inputs, out, settings, entries, again=True):
        block.append(task)
        size += len(task.item.data or b"") + 2 * len(task.item.text or "")
        total += 1
        if len(block) >= most or size >= _BLOCK_BYTES:
            yield _packed(block)
            block, size = [], 0
    if block:
        yield _packed(block)
    yield _packed(total)


_COLUMN = "pickle"


def _packed(value: Any) -> pa.Table:
    """A table of one row: Arrow's text holds no lone surrogates, which names of files may have."""
    import pyarrow as pa

    return pa.table({_COLUMN: pa.array([pickle.dumps(value)], pa.large_binary())})


def _unpacked(table: pa.Table) -> Any:
    return pickle.loads(table.column(_COLUMN)[0].as_py())


def _check_ray() -> None:
    if find_spec("ray") is None or find_spec("pyarrow") is None:
        raise MissingExtraError("--engine ray", "ray")


@contextmanager
def _connected(cluster: Cluster) -> Iterator[int]:
    """Ray, connected to or begun; gives the number of workers."""
    import ray
    from ray.data import DataContext

    logging.getLogger("ray.data").setLevel(logging.CRITICAL)  # a lost block is gone over again
    with ExitStack() as ending:
        if not ray.is_initialized():  # a program may have done it
            quiet: dict[str, Any] = {"log_to_driver": False, "logging_level": logging.ERROR}
            try:
                if cluster.address:
                    ray.init(address=cluster.address, **quiet)
                    ending.callback(ray.shutdown)
                else:
                    processors = cluster.cpus * (cluster.workers or max(1, cores() // cluster.cpus))
                    ending.enter_context(ray_here(processors, object_store_memory=_STORE, **quiet))
            except (ConnectionError, RuntimeError, ValueError) as error:
                reason = " ".join(str(error).split())[:200]
                raise ConfigError(f"no Ray cluster at {cluster.address or 'this machine'}: {reason}") from None
        context = DataContext.get_current().copy()
        context.target_max_block_size = context.target_min_block_size = 1  # else Ray lays small blocks together
        context.enable_progress_bars = False
        context.max_errored_blocks = -1  # they are gone over again
        try:
            with DataContext.current(context):
                yield cluster.workers or _room(cluster)
        except ray.exceptions.RayError as error:
            reason = next((line for line in reversed(str(error).splitlines()) if line.strip()), type(error).__name__)
            raise ConfigError(
                f"the Ray cluster failed: {reason.strip()[:200]}; run the same command to go on"
            ) from error


def _room(cluster: Cluster) -> int:
    """How many workers the cluster holds, node by node."""
    import ray

    room = 0
    for node in ray.nodes():  # type: ignore[no-untyped-call]
        has = node["Resources"] if node["Alive"] else {}
        ways = [has.get("CPU", 0) // cluster.cpus]
        if cluster.gpus:
            ways.append(has.get("GPU", 0) // cluster.gpus)
        room += int(min(ways))
    if not room:
        raise ConfigError(
            f"no node of the Ray cluster has {cluster.cpus} processors and {cluster.gpus} graphics cards for a worker; "
            "ask for less, or say with --workers how many there will be"
        )
    return room
