"""Evaluates a model on labelled reports: figures and a page."""
