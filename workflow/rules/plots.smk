# Plots of a study's points, and pictures of what compression does to detections.


rule plot_points:
    input:
        lambda wildcards: layout.points_table(wildcards.study),
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
        plot="|".join(plot for kind in points.KINDS.values() for plot in kind.plots),
    conda:
        "../../envs/nnrd.yaml"
    params:
        source=lambda wildcards: source_hash("plot_points", f"nnrd.plots.{wildcards.plot}"),
    shell:
        "python scripts/plot_points.py {wildcards.plot} --points {input} --out {output}"
        " > {log} 2>&1"


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
        annotations=lambda wildcards: layout.annotations(SETTINGS, STUDIES[wildcards.study].dataset),
        options=input_options,
    shell:
        "python scripts/draw_overlays.py --annotations {params.annotations} {params.options}"
        " --title '{wildcards.split} {wildcards.codec} {wildcards.parameters}'"
        " --out {output} > {log} 2>&1"
