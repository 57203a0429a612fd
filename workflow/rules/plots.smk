# Plots of a study's points and of splits, and pictures of what compression does to detections.


rule plot_points:
    input:
        table=TABLES.plotted,
        sums=lambda wildcards: paths.sums(TABLES.plotted(wildcards)),
    output:
        expand(paths.PLOT, suffix=["pdf", "svg"], allow_missing=True),
        report(
            expand(paths.PLOT, suffix="png", allow_missing=True),
            caption="../report/plots.rst",
            category="Plots",
            subcategory="{study}",
            labels={"study": "{study}", "plot": "{plot}"},
        ),
    log:
        paths.log("plot_points", "{study}/{plot}"),
    benchmark:
        paths.benchmark("plot_points", "{study}/{plot}")
    wildcard_constraints:
        plot="[A-Za-z0-9_]+",
    conda:
        ENVIRONMENT
    params:
        source=CODE.hashed("plot_points", "plot", "metrics"),
    shell:
        program(
            "plot_points.py {wildcards.plot:q} --points {input.table:q} --out {output:q}"
            " > {log:q} 2>&1"
        )


rule draw_overlays:
    input:
        unpack(JOBS.overlay_inputs),
    output:
        report(
            paths.OVERLAY,
            caption="../report/overlays.rst",
            category="Pictures",
            subcategory="{study}",
            labels={"split": "{split}", "codec": "{codec}", "parameters": "{parameters}"},
        ),
    log:
        paths.log("draw_overlays", "{study}/{split}/{codec}/{parameters}"),
    benchmark:
        paths.benchmark("draw_overlays", "{study}/{split}/{codec}/{parameters}")
    conda:
        ENVIRONMENT
    params:
        source=CODE.hashed("draw_overlays"),
        options=input_options,
        title="{split} {codec} {parameters}",
    shell:
        program(
            "draw_overlays.py {params.options:q} --title {params.title:q}"
            " --out {output:q} > {log:q} 2>&1"
        )


rule plot_splits:
    input:
        table=paths.SPLIT_TABLE,
        sums=paths.sums(paths.SPLIT_TABLE),
    output:
        expand(paths.SPLIT_PLOT, suffix=["pdf", "svg", "png"], allow_missing=True),
    log:
        paths.log("plot_splits", "{model}"),
    benchmark:
        paths.benchmark("plot_splits", "{model}")
    conda:
        ENVIRONMENT
    params:
        source=CODE.hashed("plot_splits"),
    shell:
        program("plot_splits.py {input.table:q} --out {output:q} > {log:q} 2>&1")
