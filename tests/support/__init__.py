"""What tests and bench share."""
