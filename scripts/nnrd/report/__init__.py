"""What a reader gets: records, tables, plots, pages, provenance."""
