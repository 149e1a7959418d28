"""A report and its text: reading, splitting, labels, quantities, the corpus."""
