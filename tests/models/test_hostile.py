"""Model folders from strangers, with correct checksums: a harmful one is refused in one sentence when it is loaded,
before any of it runs; a harmless one is accepted.
"""

from __future__ import annotations

import base64
import hashlib
import json
import math
import os
import random
import shutil
import struct
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pizhu import Annotator
from pizhu.base.errors import ModelError
from pizhu.models.folder import load_about, load_model, save_model
from pizhu.models.paths import KNOWN, SHIPPED
from pizhu.models.runtime import TorchRuntime
from pizhu.models.tokenizer import make_tokenizer
from safetensors.numpy import load_file, save_file

Attack = Callable[[Path], object]


@pytest.fixture
def copy(tmp_path: Path, model_folder: Path) -> Path:
    return Path(shutil.copytree(model_folder, tmp_path / "models" / "模型"))


@pytest.fixture
def shipped(tmp_path: Path) -> Path:
    """The shipped model, not quite: else it would be known."""
    folder = Path(shutil.copytree(SHIPPED, tmp_path / "models" / "m"))
    about(lambda b: b["scores"].update(other=1))(folder)
    assert load_about(folder).fingerprint != KNOWN
    return folder


def about(change: Callable[[dict[str, Any]], object]) -> Attack:
    """Change ``pizhu.json``."""

    def attack(folder: Path) -> None:
        path = folder / "pizhu.json"
        body = json.loads(path.read_text(encoding="utf-8"))
        change(body)
        path.write_text(json.dumps(body), encoding="utf-8")

    return attack


def in_json(name: str, change: Callable[[dict[str, Any]], object]) -> Attack:
    """Change another file of JSON."""

    def attack(folder: Path) -> None:
        body = json.loads((folder / name).read_text(encoding="utf-8"))
        change(body)
        (folder / name).write_text(json.dumps(body), encoding="utf-8")

    return attack


def config(**changes: Any) -> Attack:
    return in_json("config.json", lambda body: body.update(changes))


def tokenizer(**changes: Any) -> Attack:
    return in_json("tokenizer.json", lambda body: body.update(changes))


def pieces(**changes: Any) -> Attack:
    return in_json("tokenizer.json", lambda body: body["model"].update(changes))


def data(name: str, content: bytes) -> Attack:
    return lambda folder: (folder / name).write_bytes(content)


def weights(change: Callable[[dict[str, np.ndarray]], object], **metadata: str) -> Attack:
    def attack(folder: Path) -> None:
        path = folder / "model.safetensors"
        arrays = load_file(path)
        change(arrays)
        save_file(arrays, path, {"labels": "achievement,shortcoming,plan,metric", **metadata})

    return attack


def header(change: Callable[[dict[str, Any]], object]) -> Attack:
    """Change what the weights say of themselves."""

    def attack(folder: Path) -> None:
        path = folder / "model.safetensors"
        content = path.read_bytes()
        (size,) = struct.unpack("<Q", content[:8])
        body = json.loads(content[8 : 8 + size])
        change(body)
        text = json.dumps(body).encode()
        path.write_bytes(struct.pack("<Q", len(text)) + text + content[8 + size :])

    return attack


def seal(folder: Path) -> None:
    """Write the sums of all files that ``pizhu.json`` names, as someone does who knows the format."""

    def sums(body: dict[str, Any]) -> None:
        for name in body["files"]:
            if (folder / name).is_file():
                body["files"][name] = hashlib.sha256((folder / name).read_bytes()).hexdigest()

    about(sums)(folder)


def without_graphs(folder: Path) -> None:
    """What only torch can run."""
    for name in ("encoder.onnx", "head.onnx"):
        (folder / name).unlink()
    about(lambda b: [b["files"].pop(name) for name in ("encoder.onnx", "head.onnx")])(folder)


def label(**changes: Any) -> Attack:
    return about(lambda b: b["labels"][0].update(changes))


def decision(**changes: Any) -> Attack:
    return about(lambda b: b["decision"].update(changes))


def context(**changes: Any) -> Attack:
    return about(lambda b: b["context"].update(changes))


def one_more(body: dict[str, Any]) -> None:
    body["labels"].append({**body["labels"][0], "name": "x", "title": "其他", "hotkey": "9"})
    for name in ("temperatures", "thresholds"):
        body["decision"][name].append(0.5)


def one_less(body: dict[str, Any]) -> None:
    body["labels"].pop()
    for name in ("temperatures", "thresholds"):
        body["decision"][name].pop()


def deep(levels: int) -> Any:
    found: Any = []
    for _ in range(levels):
        found = [found]
    return found


SAID: dict[str, tuple[Attack, str]] = {
    "five labels": (about(one_more), "has the labels achievement,shortcoming,plan,metric,x, its weights achievement,"),
    "three labels": (about(one_less), "has the labels achievement,shortcoming,plan, its weights achievement,"),
    "another label": (label(name="other"), "has the labels other,shortcoming"),
    "a name that is no text": (label(name=5), "a value that is not a text"),
    "a description that is no text": (label(description=5), "a value that is not a text"),
    "a list for a description": (label(description=["x"]), "a value that is not a text"),
    "a title that is no text": (label(title=None), "a value that is not a text"),
    "a former name that is a text": (label(formerly="abc"), "a value that is not a text"),
    "a long title": (label(title="长" * 1000), "has a title of 1000 characters, expected at most 64"),
    "a long description": (label(description="长" * 10_000), "has a description of 10000 characters"),
    "a long name": (label(name="a" * 1000), "at most 64"),
    "half a character": (label(title="\ud800"), "not Unicode text"),
    "a color with more": (label(color="#000000;}"), "expected #rrggbb"),
    "an unknown field of a label": (label(evil=1), "cannot be understood"),
    "labels that are texts": (about(lambda b: b.update(labels=["achievement"])), "cannot be understood"),
    "thresholds that are not a number": (decision(thresholds=[math.nan] * 4), "is not a number"),
    "a threshold without end": (decision(thresholds=[math.inf] * 4), "is not a number"),
    "thresholds that are texts": (decision(thresholds=["0.5"] * 4), "is not a number"),
    "thresholds that are flags": (decision(thresholds=[True] * 4), "is not a number"),
    "a threshold of 2": (decision(thresholds=[0.5, 0.5, 2, 0.5]), "not between 0 and 1"),
    "temperatures that are not a number": (decision(temperatures=[math.nan] * 4), "is not a number"),
    "a temperature of 0": (decision(temperatures=[1, 1, 1, 0]), "not above 0"),
    "a temperature below 0": (decision(temperatures=[1, 1, 1, -1]), "not above 0"),
    "a temperature of many digits": (decision(temperatures=[10**400] * 4), "cannot be understood|is not a number"),
    "doubt that is not a number": (decision(doubt=math.nan), "is not a number"),
    "doubt that is a text": (decision(doubt="0"), "is not a number"),
    "no tokens": (context(tokens=0), "context.tokens is 0, expected 32 to 8192"),
    "one token": (context(tokens=1), "context.tokens is 1"),
    "a billion tokens": (context(tokens=10**9), "context.tokens is 1000000000"),
    "a number of thousands of digits": (
        lambda f: (f / "pizhu.json").write_text('{"format": ' + "9" * 5000 + "}", encoding="utf-8"),
        "cannot be understood",
    ),
    "no room for a sentence": (context(prefix=60, unit=60), "expected at most context.tokens minus 3"),
    "more tokens than positions": (context(tokens=129), "windows have 129 tokens, its encoder 128 positions"),
    "a context that is a flag": (context(before=True), "is not a whole number"),
    "another width": (about(lambda b: b.update(recurrent=17)), "has the shape"),
    "a billion wide": (about(lambda b: b.update(recurrent=10**9)), "expected at most 4096"),
    "a regression": (about(lambda b: b.update(regression=True)), "has the shape"),
    "an origin of something else": (about(lambda b: b.update(origin={"data": {"training": 5}})), "not a list of"),
    "an origin of numbers": (about(lambda b: b.update(origin={"data": {"training": [1]}})), "not a list of reports"),
    "an origin that is none": (about(lambda b: b.update(origin={"data": []})), "cannot be understood"),
    "versions that are none": (about(lambda b: b.update(origin={"versions": "1"})), "not a table"),
    "a recipe that is none": (about(lambda b: b.update(origin={"recipe": {"training": 1}})), "not a table"),
    "scores in the deep": (about(lambda b: b.update(scores={"x": deep(50)})), "nested too deeply"),
    "an upper folder": (about(lambda b: b["files"].update({"../x": "0"})), "names the file '../x', which is not one"),
    "a file above all": (about(lambda b: b["files"].update({"../../../../etc/passwd": "0"})), "which is not one"),
    "an absolute path": (about(lambda b: b["files"].update({"/etc/passwd": "0"})), "which is not one"),
    "a path of Windows": (about(lambda b: b["files"].update({"..\\x": "0"})), "which is not one"),
    "a drive": (about(lambda b: b["files"].update({"C:x": "0"})), "which is not one"),
    "a stream": (about(lambda b: b["files"].update({"config.json:x": "0"})), "which is not one"),
    "the folder itself": (about(lambda b: b["files"].update({".": "0"})), "which is not one"),
    "no name": (about(lambda b: b["files"].update({"": "0"})), "which is not one"),
    "a NUL": (about(lambda b: b["files"].update({"a\0b": "0"})), "which is not one"),
    "a file that is not there": (about(lambda b: b["files"].update({"notes.txt": "0"})), "lacks notes.txt"),
    "sums that are a list": (about(lambda b: b.update(files=["config.json"])), "cannot be understood"),
    "a sum that is a number": (
        about(lambda b: b["files"].update({"config.json": 5})),
        "has no checksum of config.json",
    ),
    "a graph that nobody names": (
        about(lambda b: [b["files"].pop(name) for name in ("encoder.onnx", "head.onnx")]),
        "has no checksum of encoder.onnx",
    ),
}


@pytest.mark.parametrize("name", SAID)
def test_what_it_says_of_itself(copy: Path, tmp_path: Path, pizhu: Callable[..., Any], name: str) -> None:
    attack, said = SAID[name]
    attack(copy)
    with pytest.raises(ModelError, match=said) as error:
        load_about(copy)
    (tmp_path / "报告.txt").write_text("我们完成了任务。", encoding="utf-8")
    answer = pizhu("annotate", tmp_path / "报告.txt", "--model", copy, "--out", tmp_path / "out")
    assert (answer.status, answer.out, answer.err) == (2, "", f"pizhu: {error.value}\n")
    assert answer.err.count("\n") == 1 and len(answer.err) < 600
    assert not (tmp_path / "out").exists()


def refused(folder: Path, attack: Attack, said: str) -> None:
    attack(folder)
    seal(folder)
    with pytest.raises(ModelError, match=said) as error:
        Annotator.load(folder, device="cpu")
    assert "\n" not in str(error.value) and len(str(error.value)) < 600


@pytest.mark.parametrize(
    ("attack", "said"),
    [
        (data("config.json", b"{"), "config.json is not JSON"),
        (data("config.json", b"[" * 100_000), "config.json is not JSON"),
        (data("config.json", b"[1]"), "not a JSON object"),
        (data("config.json", b" " * 2**21), "larger than 1 MB"),
        (config(model_type="evil", auto_map={"AutoModel": "evil.Evil"}), "its model_type is 'evil'"),
        (config(model_type=["bert"]), "its model_type is"),
        (config(hidden_size=200_000, num_attention_heads=100), r"has the shape .* expected"),
        (config(vocab_size=16_000_000), "has the shape"),
        (config(num_hidden_layers=10**6), "fewer than 1000000 layers"),
        (config(num_hidden_layers=1), "has the shape .*, expected none"),
        (config(num_attention_heads=0), "its num_attention_heads is 0"),
        (config(num_attention_heads=3), "not divisible by num_attention_heads"),
        (config(layer_norm_eps="0"), "its layer_norm_eps is '0'"),
        (config(layer_norm_eps=math.nan), "its layer_norm_eps is nan"),
        (config(hidden_act="../x"), "its hidden_act is"),
        (in_json("config.json", lambda b: b.pop("hidden_size")), "lacks hidden_size"),
        (data("model.safetensors", (2**62).to_bytes(8, "little") + b"{}"), "impossible length"),
        (data("model.safetensors", b""), "impossible length"),
        (data("model.safetensors", b"\2\0\0\0\0\0\0\0{]"), "cannot be understood"),
        (header(lambda b: b["norm.bias"].update(data_offsets=[0, 2**40])), "not where it should be"),
        (header(lambda b: b["norm.bias"].update(shape=[2**40])), "not where it should be"),
        (header(lambda b: b["norm.bias"].update(shape=[-1])), "not a count"),
        (header(lambda b: b["norm.bias"].update(dtype="F64")), "cannot be understood"),
        (header(lambda b: b.pop("norm.bias")), "norm.bias has the shape none, expected 32"),
        (header(lambda b: b.update(x=b["norm.bias"])), "x has the shape 32, expected none"),
        (header(lambda b: b.update({"norm.bias.scale": b["norm.bias"]})), "int8 without a scale"),
        (weights(lambda a: a["norm.weight"].fill(math.nan)), "its answers are not numbers"),
        (weights(lambda a: a["out.bias"].fill(math.inf)), "its answers are not numbers"),
        (weights(lambda a: a.update({"out.bias": np.zeros(5, np.float32)})), "out.bias has the shape 5, expected 4"),
        (weights(lambda a: a.update({"out.bias": np.zeros(4, np.int8)})), "int8 without a scale"),
        (data("head.onnx", b""), "head.onnx is not the graph that pizhu makes"),
        (data("encoder.onnx", b"\x08\x07" + b"\xff" * 1000), "encoder.onnx is not the graph that pizhu makes"),
        (lambda f: shutil.copy(f / "head.onnx", f / "encoder.onnx"), "encoder.onnx is not the graph"),
        (config(hidden_act="relu"), "encoder.onnx is not the graph"),
        (config(layer_norm_eps=1e-5), "encoder.onnx is not the graph"),
        (config(num_attention_heads=4), "encoder.onnx is not the graph"),
    ],
)
def test_parts(copy: Path, attack: Attack, said: str) -> None:
    refused(copy, attack, said)


def test_windows_that_would_fill_all_memory(copy: Path) -> None:
    """Attention takes the square of a window's tokens, for each head."""
    attacks = [
        weights(
            lambda a: a.update({"encoder.embeddings.position_embeddings.weight": np.zeros((8192, 32), np.float32)})
        ),
        config(max_position_embeddings=8192, num_attention_heads=32),
        context(tokens=8192),
        without_graphs,
    ]
    refused(copy, lambda folder: [attack(folder) for attack in attacks], "need too much memory")


def graph(change: Callable[[Any, Any], object], name: str = "encoder.onnx") -> Attack:
    """Change a graph with the package onnx."""

    def attack(folder: Path) -> None:
        onnx = pytest.importorskip("onnx")
        model = onnx.load(str(folder / name), load_external_data=False)
        change(onnx, model)
        (folder / name).write_bytes(model.SerializeToString())

    return attack


def added(onnx: Any, model: Any, *nodes: Any, result: str) -> None:
    """Add ``nodes`` and add what they give to the graph's output, so that none is left out."""
    output = model.graph.output[0]
    model.graph.node.extend([*nodes, onnx.helper.make_node("Add", [output.name, result], ["sum"])])
    output.name = "sum"


def constant(onnx: Any, model: Any, name: str, value: Any) -> None:
    model.graph.initializer.append(onnx.numpy_helper.from_array(np.asarray(value), name))


def looping(onnx: Any, model: Any) -> None:
    make = onnx.helper
    body = make.make_graph(
        [make.make_node("Identity", ["go"], ["on"]), make.make_node("Identity", ["x"], ["y"])],
        "body",
        [make.make_tensor_value_info(n, k, []) for n, k in (("i", 7), ("go", 9), ("x", 1))],
        [make.make_tensor_value_info(n, k, []) for n, k in (("on", 9), ("y", 1))],
    )
    for name, value in (("trips", np.int64(2**62)), ("yes", np.bool_(True)), ("start", np.float32(0))):
        constant(onnx, model, name, value)
    added(onnx, model, make.make_node("Loop", ["trips", "yes", "start"], ["end"], body=body), result="end")


def choosing(onnx: Any, model: Any) -> None:
    make = onnx.helper
    branch = make.make_graph(
        [make.make_node("Identity", ["start"], ["z"])], "b", [], [make.make_tensor_value_info("z", 1, [])]
    )
    constant(onnx, model, "yes", np.bool_(True))
    constant(onnx, model, "start", np.float32(0))
    added(onnx, model, make.make_node("If", ["yes"], ["end"], then_branch=branch, else_branch=branch), result="end")


def filling(onnx: Any, model: Any) -> None:
    constant(onnx, model, "shape", np.array([10**6, 10**6]))
    make = onnx.helper
    nodes = [make.make_node("ConstantOfShape", ["shape"], ["huge"])]
    nodes.append(make.make_node("ReduceSum", ["huge"], ["total"], keepdims=0))
    added(onnx, model, *nodes, result="total")


def expanding(onnx: Any, model: Any) -> None:
    """With nothing but operators that pizhu's own graphs have."""
    constant(onnx, model, "shape", np.array([10**6, 10**6]))
    constant(onnx, model, "nought", np.float32(0))
    make = onnx.helper
    nodes = [make.make_node("Expand", ["nought", "shape"], ["huge"])]
    nodes.append(make.make_node("ReduceMax", ["huge"], ["total"], keepdims=0))
    added(onnx, model, *nodes, result="total")


def doubling(onnx: Any, model: Any) -> None:
    constant(onnx, model, "x0", np.zeros(1, np.float32))
    make = onnx.helper
    nodes = [make.make_node("Concat", [f"x{n}", f"x{n}"], [f"x{n + 1}"], axis=0) for n in range(40)]
    nodes.append(make.make_node("ReduceMax", ["x40"], ["total"], keepdims=0))
    added(onnx, model, *nodes, result="total")


def leaking(onnx: Any, model: Any) -> None:
    tensor = onnx.TensorProto(name="leak", data_type=onnx.TensorProto.UINT8, dims=[100])
    tensor.data_location = onnx.TensorProto.EXTERNAL
    for key, value in (("location", "../../../../../../etc/passwd"), ("offset", "0"), ("length", "100")):
        tensor.external_data.add(key=key, value=value)
    model.graph.initializer.append(tensor)


def elsewhere(onnx: Any, model: Any) -> None:
    for tensor in model.graph.initializer:
        for entry in tensor.external_data:
            if entry.key == "location":
                entry.value = "../模型/model.safetensors"


def foreign(onnx: Any, model: Any) -> None:
    model.graph.node[0].domain = "evil"
    model.opset_import.append(onnx.helper.make_opsetid("evil", 1))


def function(onnx: Any, model: Any) -> None:
    make = onnx.helper
    node = make.make_node("Identity", ["a"], ["b"])
    model.functions.append(make.make_function("", "Gelu", ["a"], ["b"], [node], [make.make_opsetid("", 20)]))


def vast(onnx: Any, model: Any) -> None:
    model.graph.initializer[0].dims[0] = 2**40


def told_more(onnx: Any, model: Any) -> None:
    """What comes to nothing is refused as well: nobody has to know that it does."""
    model.graph.doc_string = "x" * 1000


@pytest.mark.parametrize("name", ["encoder.onnx", "head.onnx"])
@pytest.mark.parametrize(
    "change",
    [looping, choosing, filling, expanding, doubling, leaking, elsewhere, foreign, function, vast, told_more],
)
def test_graphs(copy: Path, change: Callable[[Any, Any], None], name: str) -> None:
    refused(copy, graph(change, name), rf"{name} is not the graph that pizhu makes of its weights")


@pytest.mark.skipif(sys.platform == "win32", reason="links need a privilege there")
def test_links(copy: Path, tmp_path: Path) -> None:
    """Out of the folder none leads; within it, and to the folder, they are no harm."""
    outside = tmp_path / "outside.json"
    shutil.copy(copy / "tokenizer.json", outside)
    (copy / "tokenizer.json").rename(copy / "kept.json")
    (copy / "tokenizer.json").symlink_to("kept.json")
    (tmp_path / "a link").symlink_to(copy)
    Annotator.load(tmp_path / "a link", device="cpu")
    (copy / "tokenizer.json").unlink()
    for target in (outside, Path("..", "..", outside.name)):
        (copy / "tokenizer.json").symlink_to(target)
        with pytest.raises(ModelError, match=r"tokenizer.json in model folder .* is a link"):
            Annotator.load(copy, device="cpu")
        (copy / "tokenizer.json").unlink()
    (copy / "tokenizer.json").symlink_to(outside.with_name("none"))
    with pytest.raises(ModelError, match=r"lacks tokenizer.json"):
        Annotator.load(copy, device="cpu")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are none here")
@pytest.mark.parametrize("name", ["tokenizer.json", "pizhu.json", "head.onnx"])
def test_what_would_never_end_to_read(copy: Path, name: str) -> None:
    (copy / name).unlink()
    os.mkfifo(copy / name)
    with pytest.raises(ModelError, match=rf"lacks {name}"):
        Annotator.load(copy, device="cpu")


def test_files_larger_than_they_ever_are(copy: Path) -> None:
    """Not read to their end: these have no end to speak of."""
    for name in ("tokenizer.json", "model.safetensors", "pizhu.json", "head.onnx"):
        whole = (copy / name).read_bytes()
        os.truncate(copy / name, 2**34)
        with pytest.raises(ModelError, match=rf"{name} .* is larger than \d+ MB"):
            load_about(copy)
        (copy / name).write_bytes(whole)
    load_about(copy)


def test_what_a_configuration_asks_for_besides_is_not_done(
    copy: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No class that lies beside the weights, no attention from a hub, no quantiser: torch gives what it gave."""
    without_graphs(copy)
    seal(copy)
    before = Annotator.load(copy, device="cpu")
    trap = tmp_path / "trap"
    (copy / "evil.py").write_text(f"open({str(trap)!r}, 'w')\nclass Evil: pass\n", encoding="utf-8")
    asked = {
        "auto_map": {"AutoConfig": "evil.Evil", "AutoModel": "evil.Evil", "AutoModelForMaskedLM": "evil.Evil"},
        "attn_implementation": "kernels-nobody/attention",
        "_attn_implementation": "kernels-nobody/attention",
        "_attn_implementation_internal": "kernels-nobody/attention",
        "experts_implementation": "kernels-nobody/experts",
        "quantization_config": {"quant_method": "gptq", "bits": 4},
        "output_attentions": True,
        "output_hidden_states": True,
        "return_dict": False,
        "torch_dtype": "float16",
        "dtype": "float16",
        "chunk_size_feed_forward": 1,
        "per_layer_config": {"0": {"hidden_size": 8}},
        "_name_or_path": "nobody/model",
        "adapter_config": {"base_model_name_or_path": "nobody/model"},
    }
    for name, value in asked.items():
        config(**{name: value})(copy)
    seal(copy)

    def fetch(*_: object, **__: object) -> None:
        pytest.fail("a hub was asked")

    monkeypatch.setattr("socket.socket.connect", fetch)
    monkeypatch.setattr("socket.getaddrinfo", fetch)
    after = Annotator.load(copy, device="cpu")
    assert not trap.exists()
    assert isinstance(after.runtime, TorchRuntime)
    loaded = after.runtime.model.encoder.config
    assert not set(asked) & set(loaded.to_dict()) - {"dtype"} or loaded._attn_implementation in ("sdpa", "eager")
    text = "一、工作\n全年完成任务12件。明年继续推进。"
    ours, theirs = (annotator.annotate_text(text).sentences for annotator in (before, after))
    assert [s.scores for s in ours] == [s.scores for s in theirs]


def test_what_the_shipped_model_is_known_by() -> None:
    """Loading does not check it: so here, as a stranger's is."""
    from pizhu.models import folder
    from pizhu.models.tokenizer import read_tokenizer
    from tokenizers import Tokenizer

    known = load_about(SHIPPED)
    assert known.fingerprint == KNOWN, "models/paths.py has to name the new shipped model"
    folder.check_parts(SHIPPED, known)
    made = read_tokenizer(SHIPPED / "tokenizer.json", 22352)
    assert made.to_str() == Tokenizer.from_file(str(SHIPPED / "tokenizer.json")).to_str()


def test_a_model_of_ours_loads_as_it_did(shipped: Path) -> None:
    """Checked, and all the same: its pieces built one by one give the tokenizer that its file describes."""
    one, other = Annotator.load(SHIPPED, device="cpu"), Annotator.load(shipped, device="cpu")
    assert one.tokenizer.to_str() == other.tokenizer.to_str()
    text = "一、工作\n全年完成任务12件，A\U00020000。明年继续推进。<s> 是记号。"
    assert [s.scores for s in one.annotate_text(text).sentences] == [
        s.scores for s in other.annotate_text(text).sentences
    ]


REPEATED = {"type": "Replace", "pattern": {"String": "工"}, "content": "工工"}
MAPPED = {"type": "Precompiled", "precompiled_charsmap": base64.b64encode(b"\4\0\0\0\0\0\0\0x").decode()}
BYTES = {"type": "ByteLevel", "add_prefix_space": True, "trim_offsets": True, "use_regex": False}
SPACES = {"type": "Metaspace", "replacement": "▁", "prepend_scheme": "always", "split": False}
A = {"Sequence": {"id": "A", "type_id": 0}}


def replacing(pattern: dict[str, str], content: str = "") -> Attack:
    return tokenizer(normalizer={"type": "Replace", "pattern": pattern, "content": content})


def splitting(pattern: dict[str, str]) -> Attack:
    step = {"type": "Split", "pattern": pattern, "behavior": "Isolated", "invert": False}
    return tokenizer(pre_tokenizer=step)


@pytest.mark.parametrize(
    ("attack", "said"),
    [
        (tokenizer(normalizer={"type": "Sequence", "normalizers": [REPEATED] * 30}), "has 30 steps of the normalizer"),
        (tokenizer(normalizer=REPEATED), "by something longer"),
        (replacing({"String": "工"}, "工" * 100_000), "by something longer"),
        (replacing({"String": ""}, ""), "might take for ever"),
        (replacing({"Regex": r"\s+"}, "  "), "by something longer"),
        (replacing({"Regex": "(工|工工|.)*(a+)+$"}), "might take for ever"),
        (splitting({"Regex": "(a+)+$"}), "might take for ever"),
        (splitting({"String": ""}), "might take for ever"),
        (tokenizer(decoder={"type": "Replace", "pattern": {"Regex": "(a{9}){9}"}, "content": ""}), "might take for"),
        (tokenizer(normalizer={"type": "Prepend", "prepend": "x" * 10_000}), "a long text before every text"),
        (tokenizer(normalizer=MAPPED), "table of characters that is damaged"),
        (tokenizer(normalizer={"type": "Precompiled", "precompiled_charsmap": "?"}), "cannot be understood"),
        (tokenizer(normalizer={"type": "Evil"}), "normalizer 'Evil', which pizhu does not run"),
        (tokenizer(normalizer={"type": ["NFC"]}), "cannot be understood"),
        (tokenizer(normalizer="NFC"), "cannot be understood"),
        (
            tokenizer(normalizer={"type": "Sequence", "normalizers": [{"type": "ByteLevel"}] * 2}),
            "the normalizer ByteLevel 2 times",
        ),
        (
            tokenizer(pre_tokenizer={"type": "Sequence", "pretokenizers": [SPACES] * 3}),
            "the pre_tokenizer Metaspace 3 times",
        ),
        (
            tokenizer(pre_tokenizer={"type": "Sequence", "pretokenizers": [BYTES] * 2}),
            "the pre_tokenizer ByteLevel 2 times",
        ),
        (tokenizer(pre_tokenizer={"type": "FixedLength", "length": 0}), "pieces of length 0"),
        (
            tokenizer(
                post_processor={"type": "TemplateProcessing", "single": [A] * 3, "pair": [], "special_tokens": {}}
            ),
            "repeats every text",
        ),
        (tokenizer(model={"type": "Unigram", "vocab": [["a", math.nan]], "unk_id": 0}), "score is not a number"),
        (tokenizer(model={"type": "Unigram", "vocab": [["a", 0.0]], "unk_id": None}), "no piece for unknown text"),
        (tokenizer(model={"type": "Unigram", "vocab": [["a", 0.0]], "unk_id": 1}), "no piece for unknown text"),
        (tokenizer(model={"type": "Unigram", "vocab": [["a"]], "unk_id": 0}), "cannot be understood"),
        (tokenizer(model={"type": "Unigram", "vocab": [["", 0.0]], "unk_id": 0}), "empty piece"),
        (tokenizer(model={"type": "Unigram", "vocab": [], "unk_id": 0}), "cannot be understood"),
        (tokenizer(model={"type": "WordLevel", "vocab": {}, "unk_token": "x"}), "no piece for unknown text"),
        (tokenizer(model={"type": "Evil", "vocab": {"x": 0}, "unk_token": "x"}), "cannot be made"),
        (
            tokenizer(model={"type": "BPE", "vocab": {"x": 0}, "merges": [], "dropout": 0.5, "unk_token": None}),
            "chooses pieces at random",
        ),
        (
            tokenizer(
                model={"type": "WordPiece", "vocab": {"x": 0}, "unk_token": "x", "max_input_chars_per_word": 10**6}
            ),
            "words of more than 200 characters",
        ),
        (pieces(unk_token="none"), "no piece for unknown text"),
        (in_json("tokenizer.json", lambda b: b["model"]["vocab"].update({"新" * 300: 1})), "more than 256 characters"),
        (in_json("tokenizer.json", lambda b: b["model"]["vocab"].update({"新": 10**6})), "with the number 1000000"),
        (in_json("tokenizer.json", lambda b: b["model"]["vocab"].update({"新": -1})), "an invalid number"),
        (in_json("tokenizer.json", lambda b: b["model"]["vocab"].update({"新": "1"})), "an invalid number"),
        (tokenizer(added_tokens=[{"id": 0, "content": "", "special": True}]), "adds an empty one"),
        (tokenizer(added_tokens=[{"id": n, "content": f"x{n}"} for n in range(20_000)]), "adds 20000 tokens"),
        (tokenizer(added_tokens=[{"id": 0, "content": "[PAD]", "evil": True}]), "cannot be made|cannot be understood"),
        (data("tokenizer.json", b"[" * 100_000), "cannot be understood"),
        (data("tokenizer.json", b"\xff"), "cannot be understood"),
        (data("tokenizer.json", b"null"), "cannot be understood"),
        (data("tokenizer.json", b'{"model": null}'), "cannot be understood"),
    ],
)
def test_tokenizers(copy: Path, attack: Attack, said: str) -> None:
    refused(copy, attack, said)


IN_ONE_GO = [r"\s+", " {2,}", ".", r"\p{L}+", r"\P{L}{1,3}", r" ?[^\s\p{L}\p{N}]+|\s+", "[0-9]{1,3}", "工|作+"]
IN_ONE_GO += [r"\.{3}", "a{2}b?c+"]


@pytest.mark.parametrize("pattern", IN_ONE_GO)
def test_expressions_that_are_matched_in_one_go(copy: Path, pattern: str) -> None:
    splitting({"Regex": pattern})(copy)
    seal(copy)
    Annotator.load(copy, device="cpu")


FOR_EVER = ["(a+)+$", "(工|工工|.)*x", "a*b", "[^x]+x", r"\s+$", "(?=a)a", r"(a)\1", "a?a?a?a?a", "a{1,9}a{1,9}a"]
FOR_EVER += ["a{99}", "a{1,99}", "a+?", "a++", "a|", "", "a{0}", "a*", "a?", "(?i)a", "[[:alpha:]]", "a" * 101]
FOR_EVER += ["x|" * 60 + "x", "^a", r"\bx", "[", "a{", r"\h", "[a", "a{,3}", r"\x41", "(a", "a)", "*a", r"\K"]


@pytest.mark.parametrize("pattern", FOR_EVER)
def test_expressions_that_might_take_for_ever(copy: Path, pattern: str) -> None:
    refused(copy, splitting({"Regex": pattern}), "might take for ever to match")


def table(texts: bytes = b"b\0") -> bytes:
    """A table of characters that makes b of a, as SentencePiece writes it."""
    units = [0] * 1024
    units[0] = 256 << 10
    units[256 ^ ord("a")] = ord("a") | 1 << 8 | 512 << 10
    units[256 ^ ord("a") ^ 512] = 1 << 31
    return struct.pack("<I1024I", 4096, *units) + texts


def tokenizer_with(mapping: bytes) -> Any:
    step = {"type": "Precompiled", "precompiled_charsmap": base64.b64encode(mapping).decode()}
    model = {"type": "WordLevel", "vocab": {"b": 0, "?": 1}, "unk_token": "?"}
    return make_tokenizer({"normalizer": step, "model": model, "added_tokens": []}, 2)


def test_tables_of_characters() -> None:
    """One that is accepted stays within its bounds: spoilt at random, none that is brings down what reads it."""
    assert tokenizer_with(table()).encode("a").ids == [0]
    for texts in (b"b", b"", b"b" * 65 + b"\0"):
        with pytest.raises(ModelError):
            tokenizer_with(table(texts))
    chance = random.Random(4)
    accepted = 0
    hot = [*range(8), *(4 + 4 * unit + byte for unit in (256 ^ 97, 256 ^ 97 ^ 512) for byte in range(4))]
    for _ in range(600):
        spoilt = bytearray(table("明\0b\0".encode()))
        for _ in range(chance.choice([1, 1, 2, 8])):
            spoilt[chance.choice([*hot, chance.randrange(len(spoilt))])] = chance.randrange(256)
        try:
            made = tokenizer_with(bytes(spoilt))
        except (ModelError, ValueError):
            continue
        accepted += 1
        made.encode("".join(map(chr, range(32, 127))) + "明a\u0300")  # a panic would not be caught
    assert 20 < accepted < 580


def test_a_tokenizer_that_fills_and_cuts_does_so_no_more(copy: Path) -> None:
    filling: dict[str, Any] = {"strategy": {"Fixed": 10**9}, "direction": "Right", "pad_to_multiple_of": None}
    filling |= {"pad_id": 0, "pad_type_id": 0, "pad_token": "[PAD]"}
    cutting = {"direction": "Right", "max_length": 1, "strategy": "LongestFirst", "stride": 0}
    tokenizer(padding=filling, truncation=cutting)(copy)
    seal(copy)
    assert len(Annotator.load(copy, device="cpu").tokenizer.encode("完成任务").ids) == 4


def test_what_stands_twice_in_a_tokenizer_is_read_once(shipped: Path) -> None:
    """One reader takes the first and another the last: what is checked is what is built."""
    path = shipped / "tokenizer.json"
    evil = json.dumps({"type": "Sequence", "normalizers": [REPEATED] * 40})
    text = path.read_text(encoding="utf-8")
    for twice in (f'{{"normalizer": {evil}, {text[1:]}', f'{text.rstrip()[:-1]}, "normalizer": {evil}}}'):
        path.write_text(twice, encoding="utf-8")
        seal(shipped)
        try:
            made = Annotator.load(shipped, device="cpu").tokenizer
        except ModelError:
            continue
        assert len(made.encode("工").ids) < 5


KINDS: dict[str, dict[str, Any]] = {
    "WordPiece": {
        "model": {"type": "WordPiece", "unk_token": "[UNK]", "continuing_subword_prefix": "##"}
        | {
            "max_input_chars_per_word": 100,
            "vocab": {"[PAD]": 0, "[UNK]": 1, "[CLS]": 2, "[SEP]": 3, "工": 4, "##作": 5},
        },
        "normalizer": {"type": "BertNormalizer", "clean_text": True, "handle_chinese_chars": True}
        | {"strip_accents": None, "lowercase": True},
        "pre_tokenizer": {"type": "BertPreTokenizer"},
    },
    "BPE": {
        "model": {"type": "BPE", "dropout": None, "unk_token": None, "continuing_subword_prefix": None}
        | {"end_of_word_suffix": None, "fuse_unk": False, "byte_fallback": False, "ignore_merges": False}
        | {"vocab": {"<s>": 0, "<pad>": 1, "</s>": 2, "a": 3, "b": 4, "ab": 5}, "merges": [["a", "b"]]},
        "pre_tokenizer": BYTES,
        "post_processor": {"type": "RobertaProcessing", "sep": ["</s>", 2], "cls": ["<s>", 0]}
        | {"trim_offsets": True, "add_prefix_space": False},
        "decoder": BYTES,
    },
    "Unigram": {
        "model": {"type": "Unigram", "unk_id": 3, "byte_fallback": False}
        | {"vocab": [["<s>", 0.0], ["<pad>", 0.0], ["</s>", 0.0], ["<unk>", 0.0], ["▁", -1.5], ["工", -2.25]]},
        "normalizer": {"type": "Sequence", "normalizers": [{"type": "NFKC"}, {"type": "Lowercase"}]},
        "pre_tokenizer": {"type": "Sequence", "pretokenizers": [{"type": "WhitespaceSplit"}, SPACES]},
        "post_processor": {"type": "TemplateProcessing", "single": [A], "pair": [A], "special_tokens": {}},
        "decoder": SPACES,
    },
    "Unigram of another version": {
        "model": {"type": "Unigram", "unk_id": 0, "vocab": [["<s>", 0.0], ["工", -2.25]]},
    },
}


@pytest.mark.parametrize("kind", KINDS)
def test_tokenizers_as_encoders_have_them(kind: str) -> None:
    """Made of what was parsed they are what their files say, tokens that were added included."""
    from tokenizers import Tokenizer

    flags = {"single_word": False, "lstrip": False, "rstrip": False, "normalized": False, "special": True}
    model = KINDS[kind]["model"]
    count = len(model["vocab"])
    first = next(iter(model["vocab"])) if isinstance(model["vocab"], dict) else model["vocab"][0][0]
    extra = [{"id": 0, "content": first, **flags}, {"id": count, "content": "<mask>", **flags, "lstrip": True}]
    empty = dict.fromkeys(("truncation", "padding", "normalizer", "pre_tokenizer", "post_processor", "decoder"))
    body = {"version": "1.0", **empty, **KINDS[kind], "added_tokens": extra}
    made, meant = make_tokenizer(body, count + 1), Tokenizer.from_str(json.dumps(body))
    assert made.to_str() == meant.to_str()
    without = make_tokenizer(body, count)  # the encoder has no vector of the token that was added
    assert without.token_to_id("<mask>") is None and without.token_to_id(first) == 0
    assert all(number < count for number in without.encode("工作 <mask> ab").ids)


def test_anything(copy: Path, shipped: Path) -> None:
    """Spoilt at random and sealed again, a folder is loaded or refused in a sentence."""
    chance = random.Random(7)
    names = ("pizhu.json", "config.json", "model.safetensors", "tokenizer.json", "encoder.onnx", "head.onnx")
    digits = b'0123456789-.eE"{}[],:nulltrue\\u\x00\xff'
    for folder, count in ((copy, 220), (shipped, 40)):
        whole = {name: (folder / name).read_bytes() for name in names}
        for _ in range(count):
            name = chance.choice(names)
            spoilt = bytearray(whole[name])
            near = min(len(spoilt), 4000)
            for _ in range(chance.choice([1, 1, 2, 5])):
                at = chance.randrange(near) if chance.random() < 0.8 else chance.randrange(len(spoilt))
                what = chance.randrange(4)
                if what == 0:
                    del spoilt[at : at + chance.choice([1, 2, 30])]
                elif what == 1:
                    spoilt[at:at] = bytes(chance.choices(digits, k=chance.choice([1, 2, 8])))
                elif at < len(spoilt):
                    spoilt[at] = chance.choice(digits)
                if not spoilt:
                    break
                near = min(len(spoilt), near)
            (folder / name).write_bytes(spoilt)
            try:
                if name != "pizhu.json":
                    seal(folder)
                Annotator.load(folder, device="cpu")
            except ModelError as error:
                assert "\n" not in str(error) and len(str(error)) < 700, str(error)
            for other, content in whole.items():
                (folder / other).write_bytes(content)
        Annotator.load(folder, device="cpu")


def test_what_is_saved_passes(copy: Path, tmp_path: Path) -> None:
    """With a GRU and without, as it was trained and in eight bits."""
    for small in (False, True):
        folder = save_model(tmp_path / f"{small}", *load_model(copy), compact=small)
        Annotator.load(folder, device="cpu")
        without_graphs(folder)
        Annotator.load(folder, device="cpu")
