# What is made in the end, and what it takes to make it again.


rule write_provenance:
    input:
        inputs.tables(SETTINGS),
        inputs.pictures(SETTINGS),
    output:
        report(paths.PROVENANCE, caption="../report/provenance.rst", category="Provenance"),
    log:
        paths.log("write_provenance", paths.PROVENANCE),
    benchmark:
        paths.benchmark("write_provenance", paths.PROVENANCE)
    conda:
        ENVIRONMENT
    params:
        source=CODE.hashed("write_provenance"),
        run=TABLES.provenance,
    shell:
        program("write_provenance.py --run {params.run:q} --out {output:q} > {log:q} 2>&1")
