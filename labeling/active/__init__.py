"""What to label next, and labels that are likely wrong."""
