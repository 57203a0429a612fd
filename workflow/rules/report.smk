# What is made in the end, and what it takes to make it again.


def all_plots():
    """Return the pictures of all studies that the report shows."""
    files = [f"results/plots/{study}/{plot}.png" for study in STUDIES for plot in PLOTS]
    for study in STUDIES.values():
        for point in study.overlays:
            at = f"{point.split.id}/{point.codec}/{points.slug(point.parameters)}"
            files.append(f"results/plots/{study.name}/overlays/{at}.png")
    return files


def asset_sums():
    """Return the SHA-256 of every file that the studies use, by asset and name."""
    used = {MODELS[study.model]["asset"] for study in STUDIES.values()}
    used |= {DATASETS[study.dataset]["asset"] for study in STUDIES.values()}
    rows = [row for asset in sorted(used) for row in SETTINGS.assets[asset]]
    return {f"{row['asset']}/{row['file']}": row["sha256"] for row in rows}


rule write_provenance:
    input:
        points="results/tables/points.csv",
        results=["results/tables/items.csv", *all_plots()],
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
        assets=json.dumps(asset_sums()),
    shell:
        "python scripts/write_provenance.py --config {params.config:q} --assets {params.assets:q}"
        " --points {input.points} --results {input.results} --out {output} > {log} 2>&1"
