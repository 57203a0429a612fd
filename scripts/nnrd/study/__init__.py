"""Studies: the configuration, the points that it declares, and where their results are."""
