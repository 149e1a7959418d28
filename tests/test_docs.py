"""Everything in the documents exists: commands, options, Python names, files; and what can run offline does."""

from __future__ import annotations

import ast
import re
import shlex
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path

import pizhu
import pytest
import typer
from pizhu.cli import app
from typer.main import get_command
from typer.testing import CliRunner

ROOT = Path(pizhu.__file__).parent
DOCUMENTS = sorted(
    p
    for pattern in ("*.md", "docs/*.md", "bench/*.md", "data/*/*.md", "models/*/*.md", "labeling/*.md")
    for p in ROOT.glob(pattern)
)
IDS = [str(path.relative_to(ROOT)) for path in DOCUMENTS]
ROOMS = ("base", "data", "models", "labeling", "training", "eval", "annotate", "analysis", "cli")
PLACEHOLDERS = {"COMMAND", "命令", "…", "..."}


@dataclass(frozen=True)
class Line:
    """A command line of a document: the words after ``pizhu``."""

    path: Path
    number: int
    words: tuple[str, ...]


def fences(path: Path) -> Iterator[tuple[str, int, str]]:
    """(language, number of the first line, body) of each fenced block."""
    text = path.read_text(encoding="utf-8")
    for match in re.finditer(r"^( *)```(\w*)\n(.*?)^ *```$", text, re.M | re.S):
        yield match[2], text.count("\n", 0, match.start()) + 2, match[3]


def fenced_lines(path: Path) -> Iterator[Line]:
    """Command lines of fenced blocks; a backslash at the end goes on in the next line, ``#`` begins a comment."""
    for _, number, body in fences(path):
        for offset, line in enumerate(re.sub(r"\\\n", " " * 2, body).split("\n")):
            if match := re.match(r"\s*(?:\$ )?(?:torchrun .* -m |accelerate .* --module )?pizhu( .*|$)", line):
                yield Line(path, number + offset, tuple(shlex.split(match[1], comments=True)))


def inline_lines(path: Path) -> Iterator[Line]:
    """Command lines in backticks in running text."""
    text = re.sub(
        r"^ *```.*?^ *```$", lambda m: "\n" * m[0].count("\n"), path.read_text(encoding="utf-8"), flags=re.M | re.S
    )
    for match in re.finditer(r"`pizhu ([^`]+)`", text):
        yield Line(path, text.count("\n", 0, match.start()) + 1, tuple(shlex.split(match[1], comments=True)))


def lines(path: Path) -> list[Line]:
    return [*fenced_lines(path), *inline_lines(path)]


def commands(command: object, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], object]]:
    """Every command that does something, with the words that call it."""
    children = getattr(command, "commands", None)
    if children is None:
        yield path, command
    else:
        for name, child in children.items():
            yield from commands(child, (*path, name))


COMMANDS = dict(commands(get_command(app)))


def resolve(line: Line) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The command that a line calls and the words after it; a command must exist."""
    words = line.words
    while words and words[0] in {"--debug"}:
        words = words[1:]
    for length in (2, 1):
        if words[:length] in COMMANDS:
            return words[:length], words[length:]
    groups = {path[:1] for path in COMMANDS if len(path) > 1}
    if not words or words[0] in {*PLACEHOLDERS, "--help", "--version"} or (words in groups) or "--help" in words:
        return (), ()
    raise AssertionError(f"{line.path.name}:{line.number}: there is no command pizhu {' '.join(words)}")


@pytest.mark.parametrize("path", DOCUMENTS, ids=IDS)
def test_commands_and_options_exist(path: Path) -> None:
    for line in lines(path):
        name, words = resolve(line)
        if not name:
            continue
        command = COMMANDS[name]
        known = {option for param in command.params for option in (*param.opts, *param.secondary_opts)}  # type: ignore[attr-defined]
        for word in words:
            if word.startswith("-") and word != "-":
                assert word.split("=")[0] in {*known, "--help"}, f"{path.name}:{line.number}: {name} has no {word}"


@pytest.mark.parametrize("path", DOCUMENTS, ids=IDS)
def test_options_in_running_text_exist(path: Path) -> None:
    """An option alone in backticks is one of some command, or of a script of bench/."""
    known = {o for c in COMMANDS.values() for p in c.params for o in (*p.opts, *p.secondary_opts)}  # type: ignore[attr-defined]
    known |= {"--debug", "--version", "--help"}
    for script in (ROOT / "bench").glob("*.py"):
        known |= set(re.findall(r"\"(--[a-z-]+)\"", script.read_text(encoding="utf-8")))
    text = path.read_text(encoding="utf-8")
    for match in re.finditer(r"`(--[a-z][a-z-]*)(?:[ =][^`]*)?`", text):
        assert match[1] in known, f"{path.name}: no command has {match[1]}"


def test_every_command_is_documented() -> None:
    shown = {resolve(line)[0] for path in DOCUMENTS for line in lines(path)}
    assert sorted(set(COMMANDS) - shown) == []


@pytest.mark.parametrize("path", DOCUMENTS, ids=IDS)
def test_python_snippets_name_what_exists(path: Path) -> None:
    for language, number, body in fences(path):
        if language != "python":
            continue
        for node in ast.walk(ast.parse(body, filename=f"{path.name}:{number}")):
            if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "pizhu":
                module = import_module(node.module or "")
                for alias in node.names:
                    assert hasattr(module, alias.name), f"{path.name}:{number}: {node.module} has no {alias.name}"
    for name in re.findall(r"`(pizhu(?!\.json)(?:\.[a-zA-Z_]+)+)[`(]", path.read_text(encoding="utf-8")):
        assert exists(name), f"{path.name}: there is no {name}"


def exists(name: str) -> bool:
    """Whether a dotted name is a module of the package or something in one."""
    parts = name.split(".")
    for length in range(len(parts), 0, -1):
        try:
            value: object = import_module(".".join(parts[:length]))
        except ModuleNotFoundError:
            continue
        for part in parts[length:]:
            if not hasattr(value, part):
                return False
            value = getattr(value, part)
        return True
    return False


@pytest.mark.parametrize("path", DOCUMENTS, ids=IDS)
def test_links_and_files_exist(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    for target in re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", text):
        if not re.match(r"[a-z]+:", target):
            assert (path.parent / target).exists(), f"{path.name} links {target}"
    for target in re.findall(
        r"`((?:bench|tests|docs|data|models|labeling|training|eval|annotate|analysis|base|cli)/[\w./-]+)`", text
    ):
        assert (ROOT / target).exists(), f"{path.name} names {target}"


def test_every_script_of_bench_is_listed() -> None:
    listed = re.findall(r"^\| `(\w+\.py)` \|", (ROOT / "bench" / "README.md").read_text(encoding="utf-8"), re.M)
    assert listed == sorted(p.name for p in (ROOT / "bench").glob("*.py"))


@pytest.mark.parametrize("name", ["README", "docs/sessions", "docs/labeling"])
def test_the_chinese_twin_shows_the_same_commands(name: str) -> None:
    """Both languages call the same commands with the same options, as often."""
    english, chinese = ROOT / f"{name}.md", ROOT / f"{name}.zh.md"

    def shape(path: Path) -> list[tuple[tuple[str, ...], tuple[str, ...]]]:
        found = [resolve(line) for line in fenced_lines(path)]
        return [(command, tuple(w for w in words if w.startswith("--"))) for command, words in found]

    assert shape(english) == shape(chinese)


RUN = {("read",), ("annotate",), ("table",), ("metrics",), ("compare",)}
"""What needs neither Label Studio nor a training."""


def runnable() -> list[Line]:
    found: dict[tuple[str, ...], Line] = {}
    for path in DOCUMENTS:
        for line in fenced_lines(path):
            if resolve(line)[0] in RUN and not {"ray", "/shared/reports"} & set(line.words):
                found.setdefault(line.words, line)
    return list(found.values())


@pytest.mark.slow
@pytest.mark.parametrize("line", runnable(), ids=lambda line: " ".join(line.words))
def test_commands_run(line: Line, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The fenced commands that annotate, with files of those names laid out beforehand."""
    samples = sorted(p for p in (ROOT / "data" / "samples").iterdir() if p.suffix in {".txt", ".html"})
    monkeypatch.chdir(tmp_path)
    name, words = resolve(line)
    outs = {words[i + 1] for i, word in enumerate(words[:-1]) if word in ("--out", "-o")}
    runner = CliRunner()
    for number, word in enumerate(w for w in words if not w.startswith("-") and w not in outs):
        lay_out(word, samples[number % len(samples)], runner)
    result = runner.invoke(app, [*name, *(w if w != "模型" else str(ROOT / "models" / "default") for w in words)])
    assert result.exit_code == 0, result.output


SNIPPETS = [(path, number, body) for path in DOCUMENTS for kind, number, body in fences(path) if kind == "python"]


@pytest.mark.slow
@pytest.mark.parametrize("snippet", SNIPPETS, ids=lambda snippet: f"{snippet[0].name}:{snippet[1]}")
def test_python_snippets_run(snippet: tuple[Path, int, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Python of the documents, with the files that it reads laid out beforehand."""
    path, number, body = snippet
    monkeypatch.chdir(tmp_path)
    sample = next(p for p in sorted((ROOT / "data" / "samples").iterdir()) if p.suffix == ".txt")
    for name in ("报告.txt", "往年报告/"):
        lay_out(name, sample, CliRunner())
    Path("汇总.csv").write_text("text\n'=甲\n", encoding="utf-8")
    names: dict[str, object] = {"pandas": pytest.importorskip("pandas")} if "pandas" in body else {}
    exec(compile(body, f"{path.name}:{number}", "exec"), names)


def lay_out(word: str, sample: Path, runner: CliRunner) -> None:
    """Make what a word of a command line names: a report, a folder of them, an archive, a list, records, a run."""
    place = Path(word.removeprefix("@"))
    if word.startswith("@"):
        Path("列出的.txt").write_bytes(sample.read_bytes())
        place.write_text("列出的.txt\n", encoding="utf-8")
    elif "*" in word:
        folder = Path(*(part for part in place.parts[:-1] if "*" not in part))
        folder.mkdir(parents=True, exist_ok=True)
        report = folder / f"{sample.stem}{place.suffix if place.suffix != '.docx' else '.txt'}"
        report.write_bytes(sample.read_bytes())
        report.rename(folder / f"{sample.stem}{place.suffix}")
    elif place.suffix == ".zip":
        folder = Path("打包")
        folder.mkdir()
        shutil.copy(sample, folder / sample.name)
        shutil.make_archive(place.stem, "zip", folder)
    elif place.suffix == ".jsonl":
        lay_records(place, sample, runner)
    elif place.suffix in {".docx", ".txt", ".html"}:
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(sample.read_bytes())  # a report is told by its content
    elif word == "结果":
        runner.invoke(app, ["annotate", str(sample), "--out", word], catch_exceptions=False)
    elif word.endswith("/"):
        place.mkdir(parents=True, exist_ok=True)
        shutil.copy(sample, place / sample.name)


def lay_records(place: Path, sample: Path, runner: CliRunner) -> None:
    """Annotated records at ``place``."""
    runner.invoke(app, ["annotate", str(sample), "--out", "标好"], catch_exceptions=False)
    place.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy(next(Path("标好").glob("*.jsonl")), place)


def test_help_names_what_is_missing() -> None:
    """A command's help is a paragraph, and every option of it says what it does."""
    assert isinstance(app, typer.Typer)
    for name, command in COMMANDS.items():
        assert command.help and len(command.help) > 30, name  # type: ignore[attr-defined]
        for param in command.params:  # type: ignore[attr-defined]
            assert getattr(param, "help", None), f"{' '.join(name)} {param.opts}"
