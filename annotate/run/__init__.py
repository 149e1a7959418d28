"""Batch runs and their folder; the cluster."""
