"""Recipes: every field is checked; an error names the field, its value and what was expected."""

from __future__ import annotations

from pathlib import Path

import pytest
from pizhu.base.errors import ConfigError, ModelError, RenamedWarning
from pizhu.models.folder import load_about
from pizhu.models.paths import SHIPPED
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
    path.write_text("[training]\nepochs = 3\nencoder_lr = 1\n", encoding="utf-8-sig")  # as Notepad writes it
    recipe = load_recipe(path, ["training.epochs=4", "encoder.name = hfl/rbt3"])
    assert (recipe.training.epochs, recipe.training.encoder_lr) == (4, 1.0)
    assert recipe.encoder.name == "hfl/rbt3"


def test_earlier_names_of_fields_are_understood(tmp_path: Path) -> None:
    """A recipe of an earlier version loads, and says what the fields are called now."""
    path = tmp_path / "旧.toml"
    path.write_text("[training]\npasses = 3\nbody_rate = 2e-4\ncut = 0.25\n", encoding="utf-8")
    with pytest.warns(RenamedWarning) as told:
        recipe = load_recipe(path, ["training.truth=0.25"])
    training = recipe.training
    assert (training.epochs, training.encoder_lr, training.crop, training.hard_label_weight) == (3, 2e-4, 0.25, 0.25)
    assert "training.passes is now called training.epochs" in str(told[0].message) and len(told) == 4
    with pytest.raises(ConfigError, match=r"training.passes is the earlier name of training.epochs; set only one"):
        load_recipe(path, ["training.epochs=4"])


def test_the_recipe_that_the_shipped_model_records() -> None:
    """It was made when fields had other names, and one more that changed nothing."""
    about = load_about(SHIPPED)
    assert recipe_from_dict(about.origin["recipe"], "shipped") == load_recipe("small", ["training.seed=2"])
    with pytest.raises(ConfigError, match=r"training.near is no longer a field"):
        recipe_from_dict({"training": {"near": 0.5}}, "r.toml")


@pytest.mark.parametrize(
    ("setting", "said"),
    [
        ("training.epochs=0", "training.epochs is 0, expected 1 to 10000"),
        ("training.epochs=many", "training.epochs is 'many', expected a whole number"),
        ("training.epochs=true", "training.epochs is True, expected a whole number"),
        ("training.epochs=1.5", "training.epochs is 1.5, expected a whole number"),
        ("head.regression=1", "head.regression is 1, expected true or false"),
        ("head.regression=ja", "head.regression is 'ja', expected true or false"),
        ("head.regression=true", "head.recurrent is 192, expected 0 with head.regression"),
        ("training.crop=nan", "training.crop is nan, expected 0.0 to 1.0"),
        ("encoder.name=3", "encoder.name is 3, expected a text"),
        ("encoder.name=", "encoder.name is '', expected bundled, shipped, a folder or a hub id"),
        ("training.patience=-1", "training.patience is -1, expected 0 to 1000"),
        ("training.batch=3", "unknown field training.batch, expected one of seed, epochs"),
        ("nothing.x=3", r"unknown section \[nothing\], expected one of encoder, context"),
        ("context.unit=250", "context.prefix . context.unit is 298, expected at most context.tokens minus 3, 253"),
        ("passes=3", "setting 'passes=3' is not understood"),
        ("training.epochs", "setting 'training.epochs' is not understood"),
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
        ("[training]\ncrop = 3", r"r.toml: training.crop is 3.0, expected 0.0 to 1.0"),
        ("[training]\nseed = '1'", r"r.toml: training.seed is '1', expected a whole number"),
        ("[[training]]\nepochs = 1", r"training is \[{'epochs': 1}\], expected a section \[training\] of fields"),
    ],
)
@pytest.mark.parametrize("settings", [[], ["training.epochs=1"]])
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
    with pytest.raises(ConfigError, match=r"none\.toml does not exist"):
        load_recipe(tmp_path / "none.toml")
    (tmp_path / "gbk.toml").write_bytes("# 配方".encode("gb18030"))
    with pytest.raises(ConfigError, match="cannot be read"):
        load_recipe(tmp_path / "gbk.toml")
