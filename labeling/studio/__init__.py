"""Talks to Label Studio: sets up projects, pushes sentences, pulls answers."""
