"""Encoders by setting: a folder, a hub id, or the bundled one; one that cannot be loaded is always an error."""

from __future__ import annotations

import json
import shutil
import socket
from pathlib import Path
from typing import Any

import pytest
from pizhu.base.errors import ModelError
from pizhu.models.encoder import load_encoder


@pytest.fixture
def copy(tmp_path: Path, encoder_folder: Path) -> Path:
    return Path(shutil.copytree(encoder_folder, tmp_path / "编码器"))


@pytest.fixture
def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*args: Any, **kwargs: Any) -> Any:
        raise AssertionError("the network was asked")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)


def test_a_folder(copy: Path, no_network: None) -> None:
    encoder = load_encoder(str(copy), offline=True)
    assert encoder.model.config.hidden_size == 32
    assert not encoder.model.pooler
    assert encoder.tokenizer.truncation is None and encoder.tokenizer.padding is None


def test_a_tokenizer_that_cuts_and_fills_does_so_no_more(copy: Path) -> None:
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_file(str(copy / "tokenizer.json"))
    tokenizer.enable_truncation(4)
    tokenizer.enable_padding(length=8)
    tokenizer.save(str(copy / "tokenizer.json"))
    assert len(load_encoder(str(copy)).tokenizer.encode("完成全年任务。").ids) == 7


@pytest.mark.parametrize(
    "setting", ["hfl/rbt3", "bert-base-chinese", "google-bert/bert-base-chinese", "models\\x", "nobody/nothing"]
)
def test_a_hub_id_offline(setting: str, no_network: None) -> None:
    with pytest.raises(ModelError, match=r"would be downloaded, which --offline forbids; copy its config.json"):
        load_encoder(setting, offline=True)


@pytest.mark.parametrize("setting", ["/nowhere/model", "./model", "~/model", "\\\\server\\model", "a/b/c"])
def test_a_missing_folder_is_never_downloaded(setting: str, no_network: None) -> None:
    with pytest.raises(ModelError, match=r"does not exist"):
        load_encoder(setting)


@pytest.mark.parametrize("name", ["config.json", "model.safetensors", "tokenizer.json"])
def test_a_missing_or_empty_part(copy: Path, no_network: None, name: str) -> None:
    (copy / name).write_bytes(b"")
    with pytest.raises(ModelError, match=r"cannot be loaded") as error:
        load_encoder(str(copy))
    assert "\n" not in str(error.value)
    (copy / name).unlink()
    with pytest.raises(ModelError, match=r"cannot be loaded|its tokenizer has"):
        load_encoder(str(copy))


def test_a_vocabulary_alone_makes_a_tokenizer(copy: Path, no_network: None) -> None:
    """Many models are shared with vocab.txt only."""
    from tokenizers import Tokenizer

    vocabulary = Tokenizer.from_file(str(copy / "tokenizer.json")).get_vocab()
    (copy / "tokenizer.json").unlink()
    (copy / "vocab.txt").write_text("\n".join(sorted(vocabulary, key=vocabulary.__getitem__)), encoding="utf-8")
    tokenizer = load_encoder(str(copy)).tokenizer
    assert tokenizer.encode("完成任务", add_special_tokens=False).ids == [vocabulary[c] for c in "完成任务"]


def test_a_tokenizer_of_another_model(copy: Path) -> None:
    config = json.loads((copy / "tokenizer.json").read_text(encoding="utf-8"))
    config["model"]["vocab"] |= {f"新{i}": len(config["model"]["vocab"]) + i for i in range(10)}
    (copy / "tokenizer.json").write_text(json.dumps(config), encoding="utf-8")
    with pytest.raises(ModelError, match=r"token vectors, but its tokenizer has"):
        load_encoder(str(copy))


def test_weights_that_are_not_there_are_not_made_up(copy: Path) -> None:
    """transformers would fill them at random with a warning."""
    from safetensors.torch import load_file, save_file

    path = copy / "model.safetensors"
    weights = {name: tensor for name, tensor in load_file(path).items() if ".layer.1." not in name}
    save_file(weights, path, metadata={"format": "pt"})
    with pytest.raises(ModelError, match=r"lacks weights that its config.json asks for: encoder\.layer\.1\."):
        load_encoder(str(copy))


def test_a_model_folder_of_ours_is_no_encoder(model_folder: Path) -> None:
    with pytest.raises(ModelError, match=r"lacks weights|cannot be loaded"):
        load_encoder(str(model_folder))


def test_pickled_weights_are_refused(copy: Path) -> None:
    import torch
    from safetensors.torch import load_file

    torch.save(load_file(copy / "model.safetensors"), copy / "pytorch_model.bin")
    (copy / "model.safetensors").unlink()
    with pytest.raises(ModelError, match=r"cannot be loaded"):
        load_encoder(str(copy))


def test_code_that_comes_with_a_model_is_never_run(copy: Path, tmp_path: Path) -> None:
    config = json.loads((copy / "config.json").read_text(encoding="utf-8"))
    trap = tmp_path / "trap"
    (copy / "evil.py").write_text(f"open({str(trap)!r}, 'w')\nclass Evil: pass\n", encoding="utf-8")
    config |= {"auto_map": {"AutoConfig": "evil.Evil", "AutoModel": "evil.Evil"}, "model_type": "evil"}
    (copy / "config.json").write_text(json.dumps(config), encoding="utf-8")
    with pytest.raises(ModelError, match=r"cannot be loaded"):
        load_encoder(str(copy))
    assert not trap.exists()


def test_another_architecture(tmp_path: Path, encoder_folder: Path) -> None:
    from transformers import GPT2Config, GPT2Model

    GPT2Model(GPT2Config(n_embd=16, n_layer=1, n_head=2, vocab_size=50)).save_pretrained(tmp_path)
    shutil.copy(encoder_folder / "tokenizer.json", tmp_path)
    with pytest.raises(ModelError, match=r"cannot be loaded|expected a BERT-shaped model"):
        load_encoder(str(tmp_path))


def test_roberta_is_bert_shaped(tmp_path: Path, encoder_folder: Path) -> None:
    from transformers import RobertaConfig, RobertaModel

    config = RobertaConfig(
        hidden_size=16, num_hidden_layers=1, num_attention_heads=2, intermediate_size=16, vocab_size=3000
    )
    RobertaModel(config, add_pooling_layer=False).save_pretrained(tmp_path)
    shutil.copy(encoder_folder / "tokenizer.json", tmp_path)
    assert load_encoder(str(tmp_path)).model.config.hidden_size == 16


@pytest.mark.parametrize(
    ("value", "hint"), [("0", "hub; without"), ("1", "hub; set HF_HUB_OFFLINE=0 to download it; without")]
)
def test_a_hub_that_is_not_reached(monkeypatch: pytest.MonkeyPatch, value: str, hint: str) -> None:
    from transformers import AutoModel

    def unreachable(*_: object, **__: object) -> None:
        raise OSError("We couldn't connect to the hub.\nCheck your connection.")

    monkeypatch.setattr(AutoModel, "from_pretrained", unreachable)
    monkeypatch.setenv("HF_HUB_OFFLINE", value)
    with pytest.raises(ModelError, match=rf"connect to the {hint} access to a hub, name a folder or 'bundled'$"):
        load_encoder("hfl/rbt3")


def test_bert_without_layers_of_its_shape(copy: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from transformers import AutoModel
    from transformers.models.bert.modeling_bert import BertModel

    real = AutoModel.from_pretrained

    def without(*args: Any, **options: Any) -> Any:
        model, found = real(*args, **options)
        del model.encoder
        return model, found

    monkeypatch.setattr(AutoModel, "from_pretrained", without)
    with pytest.raises(ModelError, match=f"is a {BertModel.__name__}, expected a BERT-shaped model"):
        load_encoder(str(copy))
