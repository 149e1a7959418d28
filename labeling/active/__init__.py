"""Active learning: what to label next, and which labels are likely wrong."""
