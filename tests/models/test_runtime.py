"""One model in three forms: torch, ONNX Runtime, and 8 bits give the same labels, in any batch."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from pizhu import Annotator
from pizhu.base.errors import ModelError
from pizhu.data.corpus.load import load_corpus
from pizhu.data.report import Report
from pizhu.models.annotator import report_logits
from pizhu.models.folder import load_model, save_model
from pizhu.models.quantise import SCALE, dequantise, quantise
from pizhu.models.runtime import OnnxRuntime, TorchRuntime, kind_of
from pizhu.models.windows import SpecialTokens, Windower


@pytest.fixture(scope="module")
def reports() -> list[Report]:
    return [corpus.report for corpus in load_corpus(split="test")][:4]


@pytest.fixture(scope="module")
def annotator(model_folder: Path) -> Annotator:
    found = Annotator.load(model_folder, device="cpu")
    assert isinstance(found.runtime, OnnxRuntime)
    return found


@pytest.fixture(scope="module")
def small(model_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_model(tmp_path_factory.mktemp("八位") / "m", *load_model(model_folder), compact=True)


def torch_logits(folder: Path, reports: list[Report]) -> list[np.ndarray]:
    model, tokenizer, about = load_model(folder)
    windower = Windower(tokenizer, about.context)
    runtime = TorchRuntime(model, windower.special.pad)
    return [logits for _, logits in report_logits(runtime, windower, reports)]


def test_onnx_says_what_torch_says(annotator: Annotator, model_folder: Path, reports: list[Report]) -> None:
    for ours, theirs in zip(map(annotator.logits, reports), torch_logits(model_folder, reports), strict=True):
        np.testing.assert_allclose(ours, theirs, atol=2e-4)


def test_the_kind_can_be_told_without_loading(annotator: Annotator, model_folder: Path, tmp_path: Path) -> None:
    assert kind_of(model_folder, gpu=False) == annotator.runtime.kind == "onnxruntime on cpu"
    model, tokenizer, _ = load_model(model_folder)
    runtime = TorchRuntime(model, SpecialTokens.of(tokenizer).pad)
    assert kind_of(tmp_path, gpu=False) == runtime.kind == "torch on cpu in float32"
    assert kind_of(model_folder, gpu=True) == "torch on cuda in bfloat16"


def test_eight_bits_say_nearly_the_same(annotator: Annotator, small: Path, reports: list[Report]) -> None:
    """In ONNX Runtime, where activations have eight bits too, and in torch, where only the weights have."""
    eight = Annotator.load(small, device="cpu")
    decision = annotator.about.decision
    for r, theirs in zip(reports, torch_logits(small, reports), strict=True):
        asked = [s.kind == "sentence" for s in r.sentences]
        exact = decision.probabilities(annotator.logits(r)[asked])
        for logits in (eight.logits(r), theirs):
            found = decision.probabilities(logits[asked])
            assert np.abs(found - exact).max() < 0.08
            assert np.mean(decision.choose(found) != decision.choose(exact)) < 0.02


def test_many_reports_come_in_order_and_say_what_each_says_alone(annotator: Annotator, reports: list[Report]) -> None:
    many = [*reports, Report("空.txt", "", ()), *reports]
    together = list(annotator.annotate_many(iter(many)))
    assert [r.doc for r in together] == [r.doc for r in many]
    assert together == [annotator.annotate(r) for r in many]  # to the last bit


def test_many_reports_are_taken_lazily(annotator: Annotator, reports: list[Report]) -> None:
    taken = 0

    def endless() -> Iterator[Report]:
        nonlocal taken
        while True:
            taken += 1
            yield reports[taken % len(reports)]

    found = annotator.annotate_many(endless())
    for _ in range(5):
        next(found)
    assert taken < 40


def test_threads_change_nothing(model_folder: Path, reports: list[Report]) -> None:
    one, three = (Annotator.load(model_folder, device="cpu", threads=n) for n in (1, 3))
    np.testing.assert_array_equal(one.logits(reports[0]), three.logits(reports[0]))


def test_vectors_have_a_row_for_every_entry(annotator: Annotator, labelled: Report) -> None:
    found = annotator.vectors(labelled)
    assert found.shape == (len(labelled.sentences), 32)
    assert [bool(row.any()) for row in found] == [s.kind != "furniture" for s in labelled.sentences]
    assert annotator.vectors(Report("空.txt", "", ())).shape == (0, 32)


def test_a_damaged_graph_is_an_error(model_folder: Path, tmp_path: Path) -> None:
    folder = save_model(tmp_path / "m", *load_model(model_folder))
    (folder / "encoder.onnx").write_bytes(b"garbage")
    with pytest.raises(ModelError, match=r"encoder.onnx in model folder .* was changed"):
        Annotator.load(folder, device="cpu")


def test_without_the_recurrent_layer(model_folder: Path, tmp_path: Path, labelled: Report) -> None:
    from pizhu.models.classifier import ReportClassifier

    model, tokenizer, about = load_model(model_folder)
    plain = ReportClassifier(model.encoder, len(about.labels), 0)
    folder = save_model(tmp_path / "m", plain, tokenizer, replace(about, recurrent=0))
    ours = Annotator.load(folder, device="cpu").logits(labelled)
    np.testing.assert_allclose(ours, torch_logits(folder, [labelled])[0], atol=2e-4)


def test_annotating_needs_no_torch(small: Path, tmp_path: Path) -> None:
    path = tmp_path / "报告.txt"
    path.write_text("一、工作回顾\n全年完成了任务。\n", encoding="utf-8")
    script = (
        "import sys\n"
        "for name in ('torch', 'transformers', 'safetensors', 'onnx', 'sklearn', 'scipy'): sys.modules[name] = None\n"
        "from pizhu import Annotator\n"
        "print(len(Annotator.load(sys.argv[1]).annotate(sys.argv[2]).sentences))\n"
    )
    answer = subprocess.run([sys.executable, "-c", script, small, path], capture_output=True, encoding="utf-8")
    assert (answer.stdout.strip(), answer.returncode) == ("2", 0), answer.stderr


@given(hnp.arrays(np.float32, st.tuples(st.integers(1, 8), st.integers(1, 8)), elements=st.floats(-1e3, 1e3, width=32)))
def test_eight_bits_are_within_half_a_step(value: np.ndarray) -> None:
    name = "encoder.encoder.layer.0.output.dense.weight"
    stored = quantise({name: value, "out.bias": value[0]})
    assert stored[name].dtype == np.int8 and np.abs(stored[name]).max(initial=0) <= 63
    assert stored["out.bias"].dtype == np.float16
    again = dequantise(stored)
    assert set(again) == {name, "out.bias"}
    step = stored[name + SCALE][:, None]
    assert (np.abs(again[name] - value) <= step * 0.5001).all()
