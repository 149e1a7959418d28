"""Shared by all packages: errors, files, limits, progress, private files, host names, pages."""
