"""From a recipe and labelled reports to a model folder."""
