"""The labelled corpus: its files, and what loads, checks, counts and exports them."""
