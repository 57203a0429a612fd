"""What stands around Snakemake: how a run is shown, and what a killed one left behind."""
