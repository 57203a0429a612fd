"""Assets: files that are fetched from registries and the web, checked, and kept."""
