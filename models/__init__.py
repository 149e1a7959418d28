"""Encoders, windows, the classifier, its decision rule, the model folder and the runtimes."""
