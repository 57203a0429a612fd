# Files from package registries and the web, fetched once and checked.


# Not protected(): a row that changes in the sheet has to fetch its asset again.
rule fetch_asset:
    output:
        directory("resources/{asset}"),
    log:
        "logs/fetch_asset/{asset}.log",
    benchmark:
        "benchmarks/fetch_asset/{asset}.tsv"
    # What cannot be fetched is found out before any work.
    priority: 100
    conda:
        "../../envs/nnrd.yaml"
    params:
        source=source_hash("fetch_asset"),
        rows=lambda wildcards: SETTINGS.assets[wildcards.asset],
        sheet=SETTINGS.config["sheets"]["assets"],
    shell:
        # Progress goes to the terminal too: a download can take minutes.
        "python scripts/fetch_asset.py --sheet {params.sheet} --asset {wildcards.asset}"
        " --out {output} 2>&1 | tee {log} >&2"


rule index_dataset:
    input:
        annotations=lambda wildcards: layout.annotations_input(SETTINGS, wildcards.dataset),
        folder=asset_folder(DATASETS, "dataset"),
    output:
        "results/datasets/{dataset}.json",
    log:
        "logs/index_dataset/{dataset}.log",
    benchmark:
        "benchmarks/index_dataset/{dataset}.tsv"
    conda:
        "../../envs/nnrd.yaml"
    params:
        source=lambda wildcards: source_hash(
            "index_dataset", f"nnrd.formats.{DATASETS[wildcards.dataset]['format']}"
        ),
        format=lambda wildcards: DATASETS[wildcards.dataset]["format"],
        annotations=lambda wildcards: layout.annotations(SETTINGS, wildcards.dataset),
        most=lambda wildcards: ITEMS[wildcards.dataset],
    shell:
        "python scripts/index_dataset.py --format {params.format}"
        " --annotations {params.annotations} --folder {input.folder} --items {params.most}"
        " --out {output} > {log} 2>&1"
