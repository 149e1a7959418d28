"""An HTTP service that annotates uploaded reports: a page to drop files on, and JSON for programs."""
