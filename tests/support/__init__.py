"""Code that tests and bench share."""
