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
            "of `datasets`, a report a row; `@list.txt`, a file that names such, one a line; `-`, one report on the "
            "standard input.",
            show_default=False,
        ),
    ],
    out: Annotated[Path, typer.Option("--out", "-o", help="Run folder for the annotated reports.")] = Path("annotated"),
    model: Model = None,
    formats: Annotated[
        str,
        typer.Option(
            help="What to write, comma-separated. For each report: jsonl (records), html (a page), docx (in Word: the "
            "original, coloured and commented on), xlsx (in Excel), csv, parquet, metrics (its quantities as a table), "
            "txt (the text). Of all reports together, in OUT/all: index (a list of them), xlsx-all (a workbook), "
            "jsonl-parts, parquet-parts (numbered files)."
        ),
    ] = "jsonl,html",
    layout: Annotated[
        str,
        typer.Option(
            help="Where in OUT the reports' files go: flat; folders (as the reports lay in what was named); hash "
            "(spread over 256 folders)."
        ),
    ] = "flat",
    part_size: Annotated[int, typer.Option(help="The most sentences in a part.")] = 100_000,
    text_column: Annotated[str, typer.Option(help="Of Parquet and datasets: the column of the text.")] = "text",
    id_column: Annotated[
        str | None,
        typer.Option(
            help="Of Parquet and datasets: the column of the report's name. Default: id, else the row number."
        ),
    ] = None,
    retry_failed: Annotated[bool, typer.Option("--retry-failed", help="Try again what failed in OUT before.")] = False,
    fresh: Annotated[
        bool, typer.Option("--fresh", help="Remove what an earlier run wrote into OUT and begin anew.")
    ] = False,
    engine: Annotated[
        str, typer.Option(help="Who does the work: local, this process; ray, the workers of a Ray cluster.")
    ] = "local",
    ray_address: Annotated[
        str | None,
        typer.Option(
            envvar="RAY_ADDRESS",
            help="Of ray: the cluster's head node, HOST:PORT. Default: one on this machine for this run alone.",
        ),
    ] = None,
    workers: Annotated[
        int | None, typer.Option(help="Of ray: how many processes hold the model. Default: as many as have room.")
    ] = None,
    worker_cpus: Annotated[int, typer.Option(help="Of ray: processors of a worker.")] = 1,
    worker_gpus: Annotated[int, typer.Option(help="Of ray: graphics cards of a worker.")] = 0,
    block: Annotated[int, typer.Option(help="Of ray: the most reports that a worker is given at once.")] = 8,
    limit: Limit = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the summary as JSON.")] = False,
) -> None:
    """Label the sentences of new reports.

    For each report `A.txt` writes `OUT/A.jsonl` (a record a sentence, with labels and probabilities) and `OUT/A.html`
    (a page to open in a browser). A report that cannot be read is named with the reason, the others are done, and the
    exit status is 1.

    OUT remembers what is done (`manifest.json`): the same command goes on where it was stopped, does what was added or
    changed, and leaves the rest as it is. Another model or other formats need another folder, or `--fresh`.

    With `--engine ray` the same files come from many machines; see docs/cluster.md.

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
            with redirect_stdout(sys.stderr):  # where Ray tells of lost workers
                result = annotate_on_cluster(found, out, model or default_model(), cluster, options)
        else:
            raise ConfigError(f"engine is {engine!r}, expected local or ray")
    if as_json:
        echo(json.dumps(result.as_dict(), ensure_ascii=False))
    else:
        for path in result.written:
            echo(path)
        kept = f", {result.kept} were done before" if result.kept else ""
        echo(f"{result.reports} reports, {result.sentences} sentences annotated{kept}", err=True)
    for name, reason in result.failed:
        complain(reason if name in reason else f"{name}: {reason}")
    if result.untried and not retry_failed:
        complain(f"{result.untried} of these were not tried again; that takes --retry-failed")
    if result.failed:
        raise typer.Exit(1)


def _watch(tell: Progress, total: int | None) -> Callable[[RunResult], None]:
    """Tells how many reports are done and at what rate sentences are, since the first answer came."""
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
