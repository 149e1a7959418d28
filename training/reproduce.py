"""Repeats a training from the records in its model folder: with the same data, versions and start, or not at all."""

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
    """The arguments with which :func:`.loop.train` makes a model again.

    Attributes:
        recipe, sources: as recorded; the data were found to be the same.
        device: the kind of device that it was made on.
        threads: the number of threads that it was made with; with others the last bits of the weights may differ.
    """

    recipe: Recipe
    sources: Sources
    device: str
    threads: int


def reproduce(folder: str | Path, data: Sequence[Path] = (), *, any_versions: bool = False) -> Reproduction:
    """Read what ``folder`` records about its training and find its data.

    Args:
        folder: a model folder.
        data: where its files of labelled records are now, in their order; empty if they have not moved.
        any_versions: continue if other versions of packages are installed than it was made with.

    Raises:
        ConfigError: it was made by a different number of processes than now.
        ModelError: the folder is damaged, does not record its training or was made by another command, or other
            versions are installed.
        DataError: the data are missing or have changed.
    """
    about = load_about(folder)
    for mark, command in (("int8" in about.scores, "compact"), ("unlabelled" in about.origin, "distil")):
        if mark:
            raise ModelError(f"model {folder} was made by `pizhu {command}`; run that again, --again cannot")
    try:
        recorded = about.origin["data"]["sources"]
        files = [(str(file["name"]), str(file["fingerprint"])) for file in recorded["files"]]
        recipe = recipe_from_dict(about.origin["recipe"], f"model {folder}")
        machine = about.origin["machine"]
        threads, made_by = int(machine["threads"]), int(machine["processes"])
    except (KeyError, TypeError, ValueError, AttributeError):
        raise ModelError(
            f"model {folder} does not record where its data come from; --again can only repeat `pizhu train`"
        ) from None
    if made_by != processes():
        start = "" if made_by == 1 else f"torchrun --nproc-per-node {made_by} -m "
        raise ConfigError(
            f"model {folder} was made by another number of processes ({made_by}); "
            f"run: {start}pizhu train --again {folder}"
        )
    if not any_versions:
        _check_versions(folder, about.origin.get("versions", {}))
    paths = list(data) or [Path(name) for name, _ in files]
    if missing := next((path for path in paths if not path.is_file()), None):
        raise DataError(f"{missing}, from which model {folder} was made, is missing; give its path with --data")
    sources = gather(paths, about.labels, corpus=bool(recorded["corpus"]))
    _check_data(folder, about, files, sources)
    return Reproduction(recipe, sources, str(machine["device"]), threads)


def check_start(folder: str | Path, recipe: Recipe, *, offline: bool = False) -> None:
    """Raise a ModelError if ``recipe`` starts from a different encoder or model than when ``folder`` was made."""
    from .start import load_start

    about = load_about(folder)
    try:
        now = load_start(recipe, about.labels.names, offline=offline).fingerprint
    except ModelError as error:
        raise ModelError(f"the base of model {folder} is not available: {error}") from None
    if now != about.origin.get("start"):
        raise ModelError(
            f"model {folder} started from another {recipe.encoder.name!r} than the present one; "
            "put back the one it started from"
        )


def same_weights(one: str | Path, other: str | Path) -> bool:
    """Whether two model folders hold the same weights, byte for byte."""
    return filecmp.cmp(Path(one) / WEIGHTS, Path(other) / WEIGHTS, shallow=False)


def _check_versions(folder: str | Path, recorded: dict[str, Any]) -> None:
    for name, here in versions().items():
        if (made := recorded.get(name)) != here:
            raise ModelError(
                f"model {folder} was made with {name} {made}, but {here} is installed; install that version, "
                "or use --any-versions to ignore the difference"
            )


def _check_data(folder: str | Path, about: About, files: Sequence[tuple[str, str]], sources: Sources) -> None:
    found = sources.origin["files"]
    if len(found) != len(files):
        names = ", ".join(name for name, _ in files) or "no file, only the shipped corpus"
        raise DataError(f"model {folder} was made from {names}; give the present path of each with --data")
    for (name, made), file in zip(files, found, strict=True):
        if file["fingerprint"] != made:
            raise DataError(
                f"{file['name']} has the fingerprint {file['fingerprint'][:12]}, but model {folder} was made from "
                f"{name} with {made[:12]}; give the original file with --data"
            )
    here = fingerprint_data(labelled(sources.training), labelled(sources.validation))
    made = str(about.origin["data"].get("fingerprint"))
    if here != made:
        raise DataError(
            f"the shipped corpus with these files has the fingerprint {here[:12]}, but model {folder} was made from "
            f"{made[:12]}; install the pizhu that made it"
        )
