"""Finds the reports to annotate: in files, folders, patterns, lists, archives and tables."""
