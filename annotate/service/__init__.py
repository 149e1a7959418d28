"""A service that annotates what is uploaded to it: a page to drop files on, and JSON for programs."""
