"""Annotates new reports: finds the inputs, runs the model, writes the output formats, serves over HTTP."""
