"""Recipes: every field is checked, and a wrong one is named with its value and what was expected."""

from __future__ import annotations

from pathlib import Path

import pytest
from pizhu.base.errors import ConfigError, ModelError
from pizhu.training.recipe import Recipe, load_recipe, recipe_from_dict


@pytest.mark.parametrize("name", ["default", "demo", "small", "own"])
def test_the_shipped_recipes(name: str) -> None:
    recipe = load_recipe(name)
    assert recipe.encoder.name == "bundled"
    assert recipe_from_dict(recipe.as_dict(), "again") == recipe


def test_the_file_of_the_default_recipe_documents_every_field() -> None:
    import tomllib

    import pizhu.training.recipe as module

    text = (Path(module.__file__).parent / "recipes" / "default.toml").read_text(encoding="utf-8")
    assert {name: set(body) for name, body in tomllib.loads(text).items()} == {
        name: set(body) for name, body in Recipe().as_dict().items()
    }


def test_a_file_and_settings_that_win_over_it(tmp_path: Path) -> None:
    path = tmp_path / "配方 1.toml"
    path.write_text("[training]\npasses = 3\nbody_rate = 1\n", encoding="utf-8-sig")  # as Notepad writes it
    recipe = load_recipe(path, ["training.passes=4", "encoder.name = hfl/rbt3"])
    assert (recipe.training.passes, recipe.training.body_rate) == (4, 1.0)
    assert recipe.encoder.name == "hfl/rbt3"


@pytest.mark.parametrize(
    ("setting", "said"),
    [
        ("training.passes=0", "training.passes is 0, expected 1 to 10000"),
        ("training.passes=many", "training.passes is 'many', expected a whole number"),
        ("training.passes=true", "training.passes is True, expected a whole number"),
        ("training.passes=1.5", "training.passes is 1.5, expected a whole number"),
        ("head.regression=1", "head.regression is 1, expected true or false"),
        ("head.regression=ja", "head.regression is 'ja', expected true or false"),
        ("head.regression=true", "head.recurrent is 192, expected 0 with head.regression"),
        ("training.cut=nan", "training.cut is nan, expected 0.0 to 1.0"),
        ("encoder.name=3", "encoder.name is 3, expected a text"),
        ("encoder.name=", "encoder.name is '', expected bundled, shipped, a folder or a hub id"),
        ("training.patience=-1", "training.patience is -1, expected 0 to 1000"),
        ("training.batch=3", "unknown field training.batch, expected one of seed, passes"),
        ("nothing.x=3", r"unknown section \[nothing\], expected one of encoder, context"),
        ("context.unit=250", "context.prefix . context.unit is 298, expected at most context.tokens less 3, 253"),
        ("passes=3", "setting 'passes=3' is not understood"),
        ("training.passes", "setting 'training.passes' is not understood"),
        ("=", "setting '=' is not understood"),
    ],
)
def test_wrong_settings(setting: str, said: str) -> None:
    with pytest.raises(ConfigError, match=said) as error:
        load_recipe("default", [setting])
    assert str(error.value).startswith(("default: ", "setting "))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("passes = 3", r"unknown section \[passes\]"),
        ("training = 3", r"training is 3, expected a section \[training\] of fields"),
        ("[training", "is not TOML"),
        ("[training]\ncut = 3", r"r.toml: training.cut is 3.0, expected 0.0 to 1.0"),
        ("[training]\nseed = '1'", r"r.toml: training.seed is '1', expected a whole number"),
        ("[[training]]\npasses = 1", r"training is \[{'passes': 1}\], expected a section \[training\] of fields"),
    ],
)
@pytest.mark.parametrize("settings", [[], ["training.passes=1"]])
def test_wrong_files(tmp_path: Path, text: str, said: str, settings: list[str]) -> None:
    path = tmp_path / "r.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError, match=said):
        load_recipe(path, settings)


def test_recipes_that_start_from_a_model_read_as_it_does(model_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pizhu.training.recipe.SHIPPED", model_folder)
    recipe = load_recipe("finetune")
    assert recipe.encoder.folder == model_folder
    assert (recipe.context.tokens, recipe.context.prefix, recipe.head.recurrent) == (96, 16, 16)
    other = load_recipe("finetune", [f"encoder.name={model_folder}", "context.tokens=80", "head.recurrent=0"])
    assert (other.context.tokens, other.context.prefix, other.head.recurrent) == (80, 16, 0)
    monkeypatch.setattr("pizhu.training.recipe.SHIPPED", model_folder / "none")
    with pytest.raises(ModelError, match="none does not exist"):
        load_recipe("finetune")


def test_no_such_recipe(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="there is no recipe 'best'; name a TOML file or one of default, demo"):
        load_recipe("best")
    with pytest.raises(ConfigError, match="cannot be read"):
        load_recipe(tmp_path / "none.toml")
    (tmp_path / "gbk.toml").write_bytes("# 配方".encode("gb18030"))
    with pytest.raises(ConfigError, match="cannot be read"):
        load_recipe(tmp_path / "gbk.toml")
