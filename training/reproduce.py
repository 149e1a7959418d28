"""A training repeated from what its model folder records: the same data, versions and start, or one clear refusal."""

from __future__ import annotations

import filecmp
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..base.errors import ConfigError, DataError, ModelError
from ..data.report import labelled
from ..models.about import About
from ..models.files import WEIGHTS
from ..models.folder import load_about
from .distributed import processes
from .provenance import fingerprint_data, versions
from .recipe import Recipe, recipe_from_dict
from .sources import Sources, gather


@dataclass(frozen=True)
class Reproduction:
    """What :func:`.loop.train` needs to make a model again.

    Attributes:
        recipe, sources: as recorded; the data were found to be the same.
        device: the kind that it was made on.
        threads: how many it was made with; with others the last bits of the weights may differ.
    """

    recipe: Recipe
    sources: Sources
    device: str
    threads: int


def reproduce(folder: str | Path, data: Sequence[Path] = (), *, any_versions: bool = False) -> Reproduction:
    """Read what ``folder`` records of its training and find its data again.

    Args:
        folder: a model folder.
        data: where its files of labelled records lie now, in their order; none: where they lay.
        any_versions: go on where other versions of packages are installed than those it was made with.

    Raises:
        ConfigError: it was made by another number of processes than train now.
        ModelError: the folder is damaged, does not record its training or was made by another command, or other
            versions are installed.
        DataError: the data are missing or not those it was made from.
    """
    about = load_about(folder)
    for mark, command in (("int8" in about.scores, "compact"), ("unlabelled" in about.origin, "distil")):
        if mark:
            raise ModelError(f"model {folder} was made by `pizhu {command}`; give that command again, --again cannot")
    try:
        recorded = about.origin["data"]["sources"]
        files = [(str(file["name"]), str(file["fingerprint"])) for file in recorded["files"]]
        recipe = recipe_from_dict(about.origin["recipe"], f"model {folder}")
        machine = about.origin["machine"]
        threads, made_by = int(machine["threads"]), int(machine["processes"])
    except (KeyError, TypeError, ValueError, AttributeError):
        raise ModelError(
            f"model {folder} does not record where its data come from; only what `pizhu train` made can be made again"
        ) from None
    if made_by != processes():
        start = "" if made_by == 1 else f"torchrun --nproc-per-node {made_by} -m "
        raise ConfigError(
            f"model {folder} was made by another number of processes, {made_by}; "
            f"run: {start}pizhu train --again {folder}"
        )
    if not any_versions:
        _check_versions(folder, about.origin.get("versions", {}))
    paths = list(data) or [Path(name) for name, _ in files]
    if missing := next((path for path in paths if not path.is_file()), None):
        raise DataError(f"{missing}, from which model {folder} was made, is not here; name with --data where it lies")
    sources = gather(paths, about.labels, corpus=bool(recorded["corpus"]))
    _check_data(folder, about, files, sources)
    return Reproduction(recipe, sources, str(machine["device"]), threads)


def check_start(folder: str | Path, recipe: Recipe, *, offline: bool = False) -> None:
    """Raise a ModelError if what ``recipe`` starts from is another encoder or model than when ``folder`` was made."""
    from .start import load_start

    about = load_about(folder)
    try:
        now = load_start(recipe, about.labels.names, offline=offline).fingerprint
    except ModelError as error:
        raise ModelError(f"what model {folder} started from is not available: {error}") from None
    if now != about.origin.get("start"):
        raise ModelError(
            f"model {folder} started from another {recipe.encoder.name!r} than the one that is here now; "
            "put back the one it started from"
        )


def same_weights(one: str | Path, other: str | Path) -> bool:
    """Whether two model folders hold the same weights, byte for byte."""
    return filecmp.cmp(Path(one) / WEIGHTS, Path(other) / WEIGHTS, shallow=False)


def _check_versions(folder: str | Path, recorded: dict[str, Any]) -> None:
    for name, here in versions().items():
        if (made := recorded.get(name)) != here:
            raise ModelError(
                f"model {folder} was made with {name} {made}, here is {here}; install that version, "
                "or go on regardless with --any-versions"
            )


def _check_data(folder: str | Path, about: About, files: Sequence[tuple[str, str]], sources: Sources) -> None:
    found = sources.origin["files"]
    if len(found) != len(files):
        names = ", ".join(name for name, _ in files) or "no file, only the shipped corpus"
        raise DataError(f"model {folder} was made from {names}; name with --data where each of these lies now")
    for (name, made), file in zip(files, found, strict=True):
        if file["fingerprint"] != made:
            raise DataError(
                f"{file['name']} has the fingerprint {file['fingerprint'][:12]}, but model {folder} was made from "
                f"{name} with {made[:12]}; name the file as it was with --data"
            )
    here = fingerprint_data(labelled(sources.training), labelled(sources.validation))
    made = str(about.origin["data"].get("fingerprint"))
    if here != made:
        raise DataError(
            f"the shipped corpus with these files has the fingerprint {here[:12]}, but model {folder} was made from "
            f"{made[:12]}; install the pizhu that made it"
        )
