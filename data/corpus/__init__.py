"""The labelled corpus: its files, and how they are loaded, checked, counted and exported."""
