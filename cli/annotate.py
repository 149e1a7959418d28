"""``pizhu annotate``"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from contextlib import redirect_stdout
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from .display import complain, echo
from .options import Limit, Model

if TYPE_CHECKING:
    from ..annotate.run.run import RunResult
    from ..base.progress import Progress


def annotate(
    inputs: Annotated[
        list[str],
        typer.Argument(
            help="Reports; folders; patterns such as `**/*.docx`; archives (.zip, .tar.gz); Parquet files and folders "
            "of `datasets`, with one report per row; `@list.txt`, a file with one input per line; `-`, one report on "
            "the standard input.",
            show_default=False,
        ),
    ],
    out: Annotated[Path, typer.Option("--out", "-o", help="Run folder for the annotated reports.")] = Path("annotated"),
    model: Model = None,
    formats: Annotated[
        str,
        typer.Option(
            help="What to write, comma-separated. For each report: jsonl (records), html (a page), docx (the original "
            "in Word, with colours and comments), xlsx (Excel), csv, parquet, metrics (its quantities as a table), "
            "txt (the text). For all reports together, in OUT/all: index (a list of them), xlsx-all (a workbook), "
            "jsonl-parts, parquet-parts (numbered files)."
        ),
    ] = "jsonl,html",
    layout: Annotated[
        str,
        typer.Option(
            help="Where in OUT the files go: flat (all in OUT); folders (in the same subfolders as the inputs); hash "
            "(spread over 256 folders)."
        ),
    ] = "flat",
    part_size: Annotated[int, typer.Option(help="The most sentences in a part.")] = 100_000,
    text_column: Annotated[str, typer.Option(help="For Parquet and datasets: the column with the text.")] = "text",
    id_column: Annotated[
        str | None,
        typer.Option(
            help="For Parquet and datasets: the column with the report's name. Default: id, else the row number."
        ),
    ] = None,
    retry_failed: Annotated[bool, typer.Option("--retry-failed", help="Retry what failed in OUT before.")] = False,
    fresh: Annotated[
        bool, typer.Option("--fresh", help="Remove what an earlier run wrote into OUT and start over.")
    ] = False,
    engine: Annotated[
        str, typer.Option(help="What does the work: local (this process) or ray (the workers of a Ray cluster).")
    ] = "local",
    ray_address: Annotated[
        str | None,
        typer.Option(
            envvar="RAY_ADDRESS",
            help="For ray: the cluster's head node, HOST:PORT. Default: start a cluster on this machine for this run.",
        ),
    ] = None,
    workers: Annotated[
        int | None, typer.Option(help="For ray: how many processes hold the model. Default: as many as there is room.")
    ] = None,
    worker_cpus: Annotated[int, typer.Option(help="For ray: CPUs per worker.")] = 1,
    worker_gpus: Annotated[int, typer.Option(help="For ray: GPUs per worker.")] = 0,
    block: Annotated[int, typer.Option(help="For ray: the most reports that a worker gets at once.")] = 8,
    limit: Limit = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the summary as JSON.")] = False,
) -> None:
    """Label the sentences of new reports.

    For each report `A.txt` it writes `OUT/A.jsonl` (one record per sentence, with labels and probabilities) and
    `OUT/A.html` (a page to open in a browser). If a report cannot be read, the command prints the reason, annotates the
    others, and exits with status 1.

    OUT records what is done (`manifest.json`): the same command continues where it was stopped, annotates what is new
    or changed, and leaves the rest unchanged. Another model or other formats need another folder, or `--fresh`.

    `--engine ray` writes the same files with many machines; see docs/cluster.md.

    Example: `pizhu annotate 报告.txt 往年报告/ --out 结果`
    """
    from ..annotate.inputs.find import find
    from ..annotate.run.run import RunOptions, annotate_here
    from ..annotate.run.runfolder import Settings
    from ..base.errors import ConfigError
    from ..base.limits import limits
    from ..models.annotator import Annotator
    from ..models.paths import default_model
    from .progress import shown

    wanted = tuple(f.strip() for f in formats.split(",") if f.strip())
    allowed = limits(limit or ())
    found = find(inputs, limits=allowed, text_column=text_column, id_column=id_column)
    with shown() as tell:
        settings = Settings(wanted, layout, part_size, allowed)
        options = RunOptions(settings, fresh, retry_failed, _watch(tell, found.count()))
        if engine == "local":
            result = annotate_here(found, out, Annotator.load(model), options)
        elif engine == "ray":
            from ..annotate.run.cluster import Cluster, annotate_on_cluster

            cluster = Cluster(ray_address, workers, worker_cpus, worker_gpus, block)
            with redirect_stdout(sys.stderr):  # Ray prints messages about lost workers to standard output
                result = annotate_on_cluster(found, out, model or default_model(), cluster, options)
        else:
            raise ConfigError(f"engine is {engine!r}, expected local or ray")
    if as_json:
        echo(json.dumps(result.as_dict(), ensure_ascii=False))
    else:
        for path in result.written:
            echo(path)
        kept = f", {result.kept} done before" if result.kept else ""
        echo(f"{result.reports} reports, {result.sentences} sentences annotated{kept}", err=True)
    for name, reason in result.failed:
        complain(reason if name in reason else f"{name}: {reason}")
    if result.untried and not retry_failed:
        complain(f"{result.untried} of these were not retried; to retry them, add --retry-failed")
    if result.failed:
        raise typer.Exit(1)


def _watch(tell: Progress, total: int | None) -> Callable[[RunResult], None]:
    """Shows how many reports are done, and how many sentences a second since the first result."""
    first: list[tuple[float, int]] = []

    def watch(result: RunResult) -> None:
        now = time.monotonic()
        if result.sentences and not first:
            first.append((now, result.sentences))
        rate = ""
        if first and now > first[0][0]:
            rate = f", {(result.sentences - first[0][1]) / (now - first[0][0]):,.0f} a second"
        tell(f"Annotating: {result.sentences:,} sentences{rate}", result.seen, total)

    return watch
