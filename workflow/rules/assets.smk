# Files from package registries and the web, fetched once and checked; datasets, looked at once.


# Not protected(): a row that changes in the sheet has to fetch its asset again.
rule fetch_asset:
    output:
        folder=directory(paths.ASSET),
        sums=paths.sums(paths.ASSET),
    log:
        paths.log("fetch_asset", paths.ASSET),
    benchmark:
        paths.benchmark("fetch_asset", paths.ASSET)
    # What cannot be fetched is found out before any work.
    priority: 100
    conda:
        ENVIRONMENT
    params:
        # A file of file, source and sum, all that is fetched depends on; so no source hash.
        rows=JOBS.asset,
        checkout=".",
    shell:
        program(
            "fetch_asset.py --asset {wildcards.asset:q} --rows {params.rows:q}"
            " --checkout {params.checkout:q} --out {output.folder:q} --sums > {log:q} 2>&1"
        )


rule index_dataset:
    input:
        unpack(JOBS.dataset_files),
    output:
        paths.INDEX,
    log:
        paths.log("index_dataset", paths.INDEX),
    benchmark:
        paths.benchmark("index_dataset", paths.INDEX)
    conda:
        ENVIRONMENT
    params:
        source=CODE.hashed("index_dataset", "format"),
        dataset=JOBS.dataset,
    shell:
        program("index_dataset.py {params.dataset:q} --out {output:q} > {log:q} 2>&1")
