"""What there is to annotate: files, folders, patterns, lists, archives, tables."""
