# Plots of a study's points, and pictures of what compression does to detections.

PLOTS = ("accuracy_bytes", "accuracy_ratio", "codec_bars")


rule plot_points:
    input:
        "results/tables/{study}/points.csv",
    output:
        "results/plots/{study}/{plot}.pdf",
        "results/plots/{study}/{plot}.svg",
        report(
            "results/plots/{study}/{plot}.png",
            caption="../report/plots.rst",
            category="Plots",
            subcategory="{study}",
            labels={"study": "{study}", "plot": "{plot}"},
        ),
    log:
        "logs/plot_points/{study}/{plot}.log",
    benchmark:
        "benchmarks/plot_points/{study}/{plot}.tsv"
    wildcard_constraints:
        plot="|".join(PLOTS),
    conda:
        "../../envs/nnrd.yaml"
    params:
        source=lambda wildcards: source_hash("plot_points", f"nnrd.plots.{wildcards.plot}"),
    shell:
        "python scripts/plot_points.py {wildcards.plot} --points {input} --out {output}"
        " > {log} 2>&1"


def overlay_inputs(wildcards):
    """Return the predictions of an overlay's point and of its anchor; names are options."""
    study = STUDIES[wildcards.study]
    place = f"{study.model}/{study.dataset}"
    point = f"features/{place}/{wildcards.split}/{wildcards.codec}/{wildcards.parameters}"
    return {
        "index": f"results/datasets/{study.dataset}.json",
        "truth": annotations_input(study.dataset),
        "anchor": [f"results/anchor/{place}/predictions/{shard}.json" for shard in study.shards],
        "point": [f"results/{point}/predictions/{shard}.json" for shard in study.shards],
    }


rule draw_overlays:
    input:
        unpack(overlay_inputs),
    output:
        report(
            "results/plots/{study}/overlays/{split}/{codec}/{parameters}.png",
            caption="../report/overlays.rst",
            category="Pictures",
            subcategory="{study}",
            labels={"split": "{split}", "codec": "{codec}", "parameters": "{parameters}"},
        ),
    log:
        "logs/draw_overlays/{study}/{split}/{codec}/{parameters}.log",
    benchmark:
        "benchmarks/draw_overlays/{study}/{split}/{codec}/{parameters}.tsv"
    conda:
        "../../envs/nnrd.yaml"
    params:
        source=source_hash("draw_overlays"),
        annotations=lambda wildcards: annotations(STUDIES[wildcards.study].dataset),
    shell:
        "python scripts/draw_overlays.py --index {input.index} --annotations {params.annotations}"
        " --anchor {input.anchor} --point {input.point}"
        " --title '{wildcards.split} {wildcards.codec} {wildcards.parameters}'"
        " --out {output} > {log} 2>&1"
