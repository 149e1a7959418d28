"""Fixtures for several packages: a tiny real encoder, a labelled report, a trained model, the command line."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import pytest
from hypothesis import settings
from pizhu.tests.support import tracing
from pizhu.tests.support.browsing import find_chromium, launched
from pizhu.tests.support.first_day import FirstDay

if TYPE_CHECKING:
    from pizhu.data.report import Report
    from pizhu.training.recipe import Recipe
    from playwright.sync_api import Browser


# How long an example takes says more about what else runs than about the code.
settings.register_profile("pizhu", deadline=None)
settings.load_profile("pizhu")


def pytest_make_parametrize_id(val: object, argname: str) -> str | None:
    """Bytes say nothing in a test's name, and an archive's hold the time of day: two processes would disagree."""
    return argname if isinstance(val, bytes) else None


# In the form of the corpus (data/corpus/load.py); every sentence is invented.
LABELLED = """+++
level = "county"
body = "government"
kind = "annual-summary"
year = 2022
plan = "part"
style = []
+++
# | 澄岭县档案局2022年工作总结
~ | 打印本页　关闭窗口

- | 现将有关情况报告如下。

# | 一、主要工作及成效

A | 1.加强馆藏建设。
AM | 全年接收档案3.2万卷，整理照片1.1万张。
A | 库房改造如期完成，查档大厅重新开放。
A | 深化档案服务改革。
AM | 接待查档群众4260人次，满意率99.6%。

A | 开展送档案进社区活动，受到居民欢迎。
- | 这些成绩离不开各方支持，在此表示感谢。

# | 二、存在的问题

S | 馆藏数字化进度偏慢，基础工作还不牢。
S | 专业人才不足，队伍老化问题突出。
SM | 仍有2.4万卷档案没有目录。
SP | 对这些问题，我们将认真加以解决。

# | 三、下一步打算

P | 深化档案服务改革。
PM | 力争数字化率达到80%以上。
P | 建设县级电子档案中心，年内投入使用。
P | 抓好干部培训，引进专业人才。
- | 明天一定更加美好。
"""


class Answer(NamedTuple):
    """What a command did."""

    status: int
    out: str
    err: str


@pytest.fixture
def pizhu(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[..., Answer]:
    """Run the command line in this process, which saves loading torch for every command."""
    from pizhu.cli import main

    def run(*words: str | Path) -> Answer:
        monkeypatch.setattr(sys, "argv", ["pizhu", *map(str, words)])
        capsys.readouterr()
        with pytest.raises(SystemExit) as stop:
            main()
        out, err = capsys.readouterr()
        return Answer(int(stop.value.code or 0), out, err)

    return run


@pytest.fixture
def first_day() -> Iterator[FirstDay]:
    """pizhu on a fresh machine, traced with strace."""
    if reason := tracing.missing():
        pytest.skip(reason)
    with FirstDay.begun() as day:
        yield day


@pytest.fixture(scope="session")
def chromium() -> str:
    """The path of a Chromium or Chrome."""
    if path := find_chromium():
        return path
    pytest.skip("there is no Chromium on the PATH")


@pytest.fixture(scope="module")
def browser(chromium: str) -> Iterator[Browser]:
    """A headless one; not for the whole session, since its event loop would be in the way of other tests'."""
    pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    with launched(chromium) as browser:
        yield browser


@pytest.fixture(scope="session")
def labelled(tmp_path_factory: pytest.TempPathFactory) -> Report:
    """A short report with all four labels, headings, an inline heading and furniture."""
    from pizhu.data.corpus.load import parse_report

    path = tmp_path_factory.mktemp("labelled") / "county-archive-2022-annual-summary.txt"
    path.write_text(LABELLED, encoding="utf-8")
    return parse_report(path).report


@pytest.fixture(scope="session")
def encoder_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An untrained BERT of two layers, 32 wide, whose tokens are the characters of the shipped corpus."""
    import torch
    from pizhu.data.corpus.load import load_corpus
    from pizhu.data.report import normalise
    from tokenizers import Regex, Tokenizer, models, pre_tokenizers
    from transformers import BertConfig, BertModel

    characters = sorted({c for r in load_corpus(split="test") for c in normalise(r.report.text)})
    pieces = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", *characters]
    tokenizer = Tokenizer(models.WordLevel({piece: i for i, piece in enumerate(pieces)}, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.Split(Regex("."), "isolated")
    config = BertConfig(
        vocab_size=len(pieces),
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=64,
        max_position_embeddings=128,
    )
    torch.set_num_threads(1)  # for so small a model, threads that wait for each other cost more than they save
    folder = tmp_path_factory.mktemp("编码器 tiny")
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(7)
        BertModel(config, add_pooling_layer=False).save_pretrained(folder)
    tokenizer.save(str(folder / "tokenizer.json"))
    return folder


@pytest.fixture(scope="session")
def recipe(encoder_folder: Path) -> Recipe:
    """A hundred epochs of a report learn it by heart in seconds."""
    from pizhu.training.recipe import recipe_from_dict

    table = {
        "encoder": {"name": str(encoder_folder), "frozen_layers": 0},
        "context": {"tokens": 96, "prefix": 16, "unit": 48},
        "head": {"recurrent": 16, "dropout": 0.1},
        "training": {"epochs": 100, "encoder_lr": 3e-3, "head_lr": 1e-2, "crop": 0.2, "checkpoint_steps": 7},
    }
    return recipe_from_dict(table, "tests")


@pytest.fixture(scope="session")
def model_folder(tmp_path_factory: pytest.TempPathFactory, recipe: Recipe, labelled: Report) -> Path:
    """A model trained on ``labelled`` until it knows it by heart."""
    from pizhu.training.loop import train

    return train(recipe, [labelled], [], tmp_path_factory.mktemp("models") / "模型", device="cpu")
