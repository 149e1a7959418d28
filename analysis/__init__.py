"""Analyses of several reports together."""
