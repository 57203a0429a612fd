"""What crosses the splits of models: tables beside published ones, plots, pages."""
