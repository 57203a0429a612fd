# Plots, pictures, and what it takes to make them again.
rule write_provenance:
    input:
        expand("results/tables/{table}.csv", table=("points", "items")),
    output:
        "results/provenance.json",
    log:
        "l.log",
    shell:
        "touch {output}"
