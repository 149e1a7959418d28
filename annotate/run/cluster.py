"""A run on a Ray cluster: the driver creates the tasks and keeps the journal; workers read, annotate and write.

The tasks flow through Ray Data. A process next to the driver creates them, a block at a time and never far ahead. Each
worker loads the model once, annotates blocks and writes the outputs to storage that all nodes see. It writes to a
temporary name and renames, so doing a block twice is harmless. The outcomes return to the driver, which adds them to
the run's journal. Ray restarts workers that die and hands out their blocks again. If a block still fails, the driver
retries its inputs one by one, so that an input that kills its workers is recorded as failed and fails no other.
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
from .answer_cache import AnswerCache
from .manifest import Entry, difference
from .ray_here import ray_here
from .reading import Reading
from .run import REUSED, Outcome, RunOptions, RunResult, Task, conduct, plan, work, write_outcome
from .runfolder import LOCK, RunFolder, Settings, head_of

if TYPE_CHECKING:
    import pyarrow as pa
    from ray.data import Dataset

_BLOCK_BYTES = 2**20  # of reports from archives and tables, which travel with their tasks
_STORE = 200 * 2**20  # bytes of the object store of our own cluster: only tasks and outcomes pass through it
_TURNS = 3  # how often an input is tried before it is recorded as failed
_RETRIES = 2  # of a block within a turn, if its worker dies
_LEFT_AT_ONCE = 256  # tasks that the driver retries at one time
_PAUSES = (1.0, 5.0)  # seconds between retries, since shared storage may lag


@dataclass(frozen=True)
class Cluster:
    """The cluster to use, and how much of it.

    Attributes:
        address: the address of a running cluster (``HOST:PORT`` of its head node, or ``auto``); None starts one on this
            machine.
        workers: how many processes hold the model; None takes as many as the cluster has room for.
        cpus: CPUs per worker, all on one node.
        gpus: GPUs per worker; 0 computes on CPUs.
        block: the most reports that a worker gets at once, and repeats if it dies.

    Raises:
        ConfigError: a number is out of range, or the address is for Ray's remote clients.
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
    """:func:`.run.annotate_files` on ``cluster``; the run folder is the same, byte for byte.

    All nodes must see the inputs, ``out`` and ``model`` under the same paths.

    Raises:
        MissingExtraError: Ray is not installed.
        ConfigError: as ``annotate_files``; the cluster does not exist or has no room for a worker; or a node sees other
            files or has other versions of the packages than the driver.
        ModelError: the model cannot be loaded, here or on a node.
        OSError: a node cannot write.
    """
    _check_ray()
    model = model.resolve()
    about = load_about(model)

    def engine(inputs: Inputs, run: RunFolder, done: Callable[[Outcome], None]) -> None:
        again = options.retry_failed
        job = _Job(run.out, options.settings, run.head, about.labels, model, again, cluster.cpus, cluster.gpus)
        try:
            with _connected(cluster) as workers:
                _Driver(cluster, workers, job, inputs, run, done).go()
        finally:
            for part in list(leftovers(run.out)):  # from workers that were killed
                remove(run.out, part)

    runtime = kind_of(model, gpu=cluster.gpus > 0)
    result = conduct(engine, inputs, out, options, about, runtime)
    result.written.sort()
    result.failed.sort()
    return result


@dataclass(frozen=True)
class _Job:
    """What every worker needs to know from the start."""

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
        node: the name of the worker's node.
        outcomes: the outcomes of the tasks.
        absent: files that the worker does not see.
        trouble: why the worker cannot work at all.
        total: the number of tasks, in the reply to the last block.
    """

    node: str
    outcomes: list[Outcome] = field(default_factory=list)
    absent: list[Path] = field(default_factory=list)
    trouble: PizhuError | OSError | None = None
    total: int | None = None


class _Worker:
    """Does blocks of tasks; each worker is a process that loads the model when its first block arrives."""

    def __init__(self, job: _Job) -> None:
        self._job = job
        self._annotator: Annotator | None = None
        self._reader = ReaderPool()  # ends with this process
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
        except (PizhuError, OSError) as error:  # the driver stops and raises it
            return _Reply(node, trouble=error)

    def _begin(self, node: str) -> Annotator:
        job = self._job
        for pause in (*_PAUSES, None):
            if (job.out / LOCK).exists():  # the driver holds the lock, so the file exists if this node sees the folder
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
    """Whether this node sees the report's file; True for a report that travels with its task."""
    carried = item.data is not None or item.text is not None or item.trouble or item.end
    return bool(carried) or item.place.exists()


class _Driver:
    """Hands out the tasks of an open run and records their outcomes."""

    def __init__(
        self, cluster: Cluster, workers: int, job: _Job, inputs: Inputs, run: RunFolder, done: Callable[[Outcome], None]
    ) -> None:
        self._cluster, self._workers, self._job = cluster, workers, job
        self._inputs, self._run, self._done = inputs, run, done
        self._open = dict(run.entries)  # entries from earlier runs that this run has not settled yet

    def go(self) -> None:
        """Do all tasks in blocks, then retry the remaining ones one by one."""
        total, settled = self._turn(self._all())
        if total is None and not settled:
            raise ConfigError("no Ray worker started; is pizhu installed on the nodes? See Ray's logs")
        if settled == total:
            return
        for _ in range(_TURNS - 1):
            left = self._left()
            while some := list(islice(left, _LEFT_AT_ONCE)):
                self._turn(self._alone(some))
        for task in self._left():
            reason = f"{task.item.doc} was not annotated: its worker died at every attempt (out of memory?)"
            job = self._job
            entry = write_outcome(Reading("", reason=reason), job.out, task.name, job.settings, job.labels)
            self._done(Outcome(task.key, task.item.shown, entry))

    def _turn(self, blocks: Dataset) -> tuple[int | None, int]:
        """Do the blocks; returns the number of tasks (None if no worker reported it) and how many are settled."""
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
            # Ray deprecates max_task_retries, but offers no other way to limit retries.
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
        """Blocks of all tasks, created by a process on this node that keeps a little ahead of the workers."""
        import ray

        here = {"ray.io/node-id": ray.get_runtime_context().get_node_id()}
        feed = partial(_feed, self._inputs, self._run.out, self._run.settings, self._open, self._cluster.block)
        begin = ray.data.from_arrow(_packed(None))
        return begin.map_batches(feed, batch_format="pyarrow", num_cpus=0, label_selector=here)

    def _alone(self, tasks: list[Task]) -> Dataset:
        import ray

        return ray.data.from_arrow([_packed([task]) for task in tasks])

    def _left(self) -> Iterator[Task]:
        """The tasks that are not settled, with the same names as before."""
        for task in plan(self._inputs, self._run.out, self._run.settings, self._run.entries, again=True):
            if task.key not in self._run.entries or task.key in self._open:
                yield task


def _feed(
    inputs: Inputs, out: Path, settings: Settings, entries: dict[str, Entry], most: int, begin: pa.Table
) -> Iterator[pa.Table]:
    """Blocks of at most ``most`` tasks and about ``_BLOCK_BYTES``, as tables of one row; then the number of tasks."""
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
    """``value`` as a table of one row; pickled, since Arrow strings cannot hold the lone surrogates of file names."""
    import pyarrow as pa

    return pa.table({_COLUMN: pa.array([pickle.dumps(value)], pa.large_binary())})


def _unpacked(table: pa.Table) -> Any:
    return pickle.loads(table.column(_COLUMN)[0].as_py())


def _check_ray() -> None:
    if find_spec("ray") is None or find_spec("pyarrow") is None:
        raise MissingExtraError("--engine ray", "ray")


@contextmanager
def _connected(cluster: Cluster) -> Iterator[int]:
    """Connects to Ray or starts it; gives the number of workers."""
    import ray
    from ray.data import DataContext

    logging.getLogger("ray.data").setLevel(logging.CRITICAL)  # we retry lost blocks ourselves
    with ExitStack() as ending:
        if not ray.is_initialized():  # the calling program may have connected already
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
        context.target_max_block_size = context.target_min_block_size = 1  # else Ray merges small blocks
        context.enable_progress_bars = False
        context.max_errored_blocks = -1  # we retry them ourselves
        try:
            with DataContext.current(context):
                yield cluster.workers or _room(cluster)
        except ray.exceptions.RayError as error:
            reason = next((line for line in reversed(str(error).splitlines()) if line.strip()), type(error).__name__)
            raise ConfigError(
                f"the Ray cluster failed: {reason.strip()[:200]}; run the same command to go on"
            ) from error


def _room(cluster: Cluster) -> int:
    """How many workers the nodes of the cluster have room for."""
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
            f"no node of the Ray cluster has {cluster.cpus} CPUs and {cluster.gpus} GPUs for a worker; "
            "ask for less, or say with --workers how many there will be"
        )
    return room
