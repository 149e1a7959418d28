"""Trains a model folder from a recipe and labelled reports."""
