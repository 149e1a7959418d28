"""What the files of a model folder are called."""

CONFIG = "config.json"
WEIGHTS = "model.safetensors"
TOKENIZER = "tokenizer.json"
CARD = "README.md"
ABOUT = "pizhu.json"
ENCODER_GRAPH = "encoder.onnx"
HEAD_GRAPH = "head.onnx"
