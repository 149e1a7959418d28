"""The names of the files in a model folder."""

CONFIG = "config.json"
WEIGHTS = "model.safetensors"
TOKENIZER = "tokenizer.json"
CARD = "README.md"
ABOUT = "pizhu.json"
ENCODER_GRAPH = "encoder.onnx"
HEAD_GRAPH = "head.onnx"
