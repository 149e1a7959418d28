"""Label Studio's own virtual environment: its 156 packages need older versions of what pizhu's packages need."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import venv
from pathlib import Path

import platformdirs

from ...base.errors import LabelingError
from ...base.progress import Progress, silent

VERSION = "1.23.2"
ENVIRONMENT_VARIABLE = "PIZHU_LABEL_STUDIO_ENV"
_CONSTRAINTS = Path(__file__).parent / "label-studio.txt"


def default_environment() -> Path:
    """``PIZHU_LABEL_STUDIO_ENV``, or a folder among the user's data."""
    if folder := os.environ.get(ENVIRONMENT_VARIABLE):
        return Path(folder)
    return platformdirs.user_data_path("pizhu") / "label-studio-environment"


def ensure_environment(folder: str | Path | None = None, progress: Progress = silent) -> Path:
    """Install Label Studio into ``folder`` unless it is there (two minutes, 1 GB); returns the path of its program.

    An interrupted installation is continued.

    Raises:
        LabelingError: the packages cannot be installed, or Python lacks ``venv``.
    """
    folder = Path(folder) if folder is not None else default_environment()
    programs = folder.absolute() / ("Scripts" if os.name == "nt" else "bin")
    suffix = ".exe" if os.name == "nt" else ""
    complete = folder / f"label-studio-{VERSION}.complete"
    command = programs / f"label-studio{suffix}"
    if complete.exists() and command.exists():
        return command
    progress("Installing Label Studio: creating a virtual environment", 0)
    try:
        venv.create(folder, with_pip=True, symlinks=os.name != "nt")
    except (OSError, subprocess.CalledProcessError) as error:
        raise LabelingError(
            f"cannot create a virtual environment in {folder} ({type(error).__name__}); "
            "is the folder writable, and is Python's venv module installed (Debian: apt install python3-venv)?"
        ) from None
    _install(programs / f"python{suffix}", progress)
    complete.touch()
    return command


def _install(python: Path, progress: Progress) -> None:
    packages = sum(1 for line in _CONSTRAINTS.read_text(encoding="utf-8").splitlines() if "==" in line)
    options = ("--disable-pip-version-check", "--no-input", "--progress-bar", "off")
    process = subprocess.Popen(
        [str(python), "-m", "pip", "install", *options, "--constraint", str(_CONSTRAINTS), f"label-studio=={VERSION}"],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        encoding="utf-8",
        errors="replace",
    )
    collected, problem = 0, ""
    with process:
        for line in process.stdout or ():
            if match := re.match(r"Collecting ([^\s=<>~!\[;]++)", line):
                collected += 1
                progress(f"Installing Label Studio: {match[1]}", min(collected, packages), packages)
            elif line.startswith("Installing collected packages"):
                progress("Installing Label Studio: writing files (about a minute)", packages, packages)
            elif line.startswith("ERROR:"):
                problem = problem or line.removeprefix("ERROR:").strip()
    if process.returncode:
        raise LabelingError(
            f"Label Studio {VERSION} cannot be installed for Python {sys.version_info.major}.{sys.version_info.minor}"
            f" (pip: {problem or f'exit status {process.returncode}'}); a package registry must be reachable"
        )
