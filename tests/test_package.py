"""The package from outside: light to import, typed, with the public names that README promises."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from importlib.metadata import entry_points, version
from pathlib import Path

import pizhu
import pytest

ROOT = Path(pizhu.__file__).parent
HEAVY = [
    "torch",
    "transformers",
    "tokenizers",
    "sklearn",
    "datasets",
    "label_studio_sdk",
    "onnxruntime",
    "pyarrow",
    "httpx",
    "fastapi",
    "prometheus_client",
    "uvicorn",
    "starlette",
    "jinja2",
    "markupsafe",
]


@pytest.mark.parametrize(
    "code",
    [
        "import pizhu",
        "from pizhu import Annotator, PizhuError",
        "import sys; sys.argv = ['pizhu', '--help']; from pizhu.cli import main\ntry: main()\nexcept SystemExit: pass",
    ],
    ids=["import", "names", "help"],
)
def test_it_is_light(code: str) -> None:
    script = f"{code}\nimport sys\nprint('LOADED', [name for name in {HEAVY!r} if name in sys.modules])"
    result = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, encoding="utf-8", check=True
    )
    assert result.stdout.splitlines()[-1] == "LOADED []"


def test_public_names() -> None:
    for name in pizhu.__all__:
        assert getattr(pizhu, name) is not None
    homes = [name for names in pizhu._HOMES.values() for name in names]
    assert sorted([*homes, "__version__"]) == sorted(pizhu.__all__)
    assert set(pizhu.__all__) <= set(dir(pizhu))
    with pytest.raises(AttributeError, match="no attribute 'Nothing'"):
        pizhu.Nothing  # noqa: B018


def test_it_is_typed_and_complete() -> None:
    assert (ROOT / "py.typed").is_file()
    table = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    listed = set(table["tool"]["setuptools"]["packages"])
    rooms = ("base", "data", "models", "labeling", "training", "eval", "annotate", "analysis", "cli")
    found = {
        ".".join(("pizhu", *p.parent.relative_to(ROOT).parts)) for r in rooms for p in (ROOT / r).rglob("__init__.py")
    }
    assert listed == found | {"pizhu"}
    assert version("pizhu") == table["project"]["version"]


def test_pages_are_in_the_package() -> None:
    """Every template, style, script and picture of a page is in what is built."""
    table = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["setuptools"]
    built = {
        path
        for package, patterns in table["package-data"].items()
        for pattern in patterns
        for path in ROOT.joinpath(*package.split(".")[1:]).glob(pattern)
    }
    rooms = {package.split(".")[1] for package in table["packages"] if "." in package}
    parts = {p for r in rooms for p in (ROOT / r).rglob("*") if p.suffix in {".j2", ".css", ".js", ".svg"}}
    assert len(parts) > 35 and parts <= built, parts - built


def test_public_names_are_documented() -> None:
    """Every public name says what it means; functions also what they raise."""
    for name in set(pizhu.__all__) - {"__version__", "DEFAULT_LABELS"}:
        value = getattr(pizhu, name)
        assert value.__doc__ and len(value.__doc__) > 20, name
        if callable(value) and not isinstance(value, type) and name != "quantities":
            assert "Raises:" in value.__doc__, name


def test_the_command_is_installed() -> None:
    (script,) = entry_points(group="console_scripts", name="pizhu")
    assert script.value == "pizhu.cli:main"


def test_no_file_grows_out_of_hand() -> None:
    big = [
        p
        for r in ("base", "data", "models", "labeling", "training", "eval", "annotate", "analysis", "cli")
        for p in (ROOT / r).rglob("*.py")
    ]
    assert [str(p) for p in big if p.stat().st_size > 25_000] == []
