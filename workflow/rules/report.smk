# What is made in the end, and what it takes to make it again.


rule write_provenance:
    input:
        points="results/tables/points.csv",
        results=["results/tables/items.csv", *layout.pictures(SETTINGS)],
    output:
        report("results/provenance.json", caption="../report/provenance.rst", category="Provenance"),
    log:
        "logs/write_provenance.log",
    benchmark:
        "benchmarks/write_provenance.tsv"
    conda:
        "../../envs/nnrd.yaml"
    params:
        source=source_hash("write_provenance"),
        config=json.dumps(SETTINGS.config),
        assets=json.dumps(layout.asset_sums(SETTINGS)),
    shell:
        "python scripts/write_provenance.py --config {params.config:q} --assets {params.assets:q}"
        " --points {input.points} --results {input.results} --out {output} > {log} 2>&1"
