"""From a model and labelled reports to figures and a page."""
