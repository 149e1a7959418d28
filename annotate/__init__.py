"""New reports get their labels: inputs, runs, the formats that are written, the service."""
