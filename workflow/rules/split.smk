# Models cut in two; tables of what crosses at every rank, beside published ones.


rule split_model:
    input:
        model=paths.MODEL,
        facts=paths.FACTS,
    output:
        part1=paths.PART1,
        part2=paths.PART2,
        plan=paths.PLAN,
    log:
        paths.log("split_model", "{model}/{split}"),
    benchmark:
        paths.benchmark("split_model", "{model}/{split}")
    conda:
        ENVIRONMENT
    resources:
        **NEEDS.of("split_model"),
    params:
        source=CODE.hashed("split_model"),
        folder=subpath(output.plan, parent=True),
        at=JOBS.split,
    shell:
        program(
            "split_model.py {input.model:q} --facts {input.facts:q} {params.at:q}"
            " --out {params.folder:q} > {log:q} 2>&1"
        )


rule tabulate_splits:
    input:
        model=paths.MODEL,
        facts=paths.FACTS,
    output:
        table=paths.SPLIT_TABLE,
        sums=paths.sums(paths.SPLIT_TABLE),
    log:
        paths.log("tabulate_splits", "{model}"),
    benchmark:
        paths.benchmark("tabulate_splits", "{model}")
    conda:
        ENVIRONMENT
    resources:
        **NEEDS.of("tabulate_splits"),
    params:
        source=CODE.hashed("tabulate_splits"),
        shape=JOBS.input_shape,
    shell:
        program(
            "tabulate_splits.py {input.model:q} --facts {input.facts:q}"
            " {params.shape:q} --csv {output.table:q} --sums > {log:q} 2>&1"
        )


rule tabulate_images:
    input:
        unpack(lambda wildcards: STUDIES[wildcards.study].measured(wildcards.comparison)),
        files=lambda wildcards: [
            inputs.items_folder(SETTINGS, data.dataset)
            for data in STUDIES[wildcards.study].data(wildcards.comparison)
        ],
    output:
        table=paths.SPLIT_INPUTS,
        sums=paths.sums(paths.SPLIT_INPUTS),
    log:
        paths.log("tabulate_images", "{study}/{comparison}"),
    benchmark:
        paths.benchmark("tabulate_images", "{study}/{comparison}")
    conda:
        ENVIRONMENT
    params:
        source=CODE.hashed("tabulate_images"),
        inputs=lambda wildcards: STUDIES[wildcards.study].measuring(wildcards.comparison),
    shell:
        program(
            "tabulate_images.py {input.model:q} --facts {input.facts:q}"
            " {params.inputs:q} --csv {output.table:q} --sums > {log:q} 2>&1"
        )


rule draw_split_page:
    input:
        tables=lambda wildcards: STUDIES[wildcards.study].tables(),
        sums=lambda wildcards: map(paths.sums, STUDIES[wildcards.study].tables()),
    output:
        report(
            paths.SPLIT_PAGE,
            caption="../report/splits.rst",
            category="Splits",
            subcategory="{study}",
            labels={"comparison": "all ranks of all models", "what": "page"},
        ),
    log:
        paths.log("draw_split_page", "{study}"),
    benchmark:
        paths.benchmark("draw_split_page", "{study}")
    conda:
        ENVIRONMENT
    params:
        source=CODE.hashed("draw_split_page"),
        rates=lambda wildcards: STUDIES[wildcards.study].rate_options(),
    shell:
        program(
            "draw_split_page.py --splits {input.tables:q} {params.rates:q}"
            " --title {wildcards.study:q} --out {output:q} > {log:q} 2>&1"
        )


rule compare_splits:
    input:
        unpack(lambda wildcards: STUDIES[wildcards.study].compared(wildcards.comparison)),
    output:
        table=expand(paths.COMPARISON, suffix="csv", allow_missing=True),
        sums=expand(paths.sums(paths.COMPARISON), suffix="csv", allow_missing=True),
        page=report(
            expand(paths.COMPARISON, suffix="html", allow_missing=True),
            caption="../report/comparisons.rst",
            category="Splits",
            subcategory="{study}",
            labels={"comparison": "{comparison}", "what": "table"},
        ),
        drawn=expand(paths.COMPARISON, suffix=["pdf", "svg"], allow_missing=True),
        plot=report(
            expand(paths.COMPARISON, suffix="png", allow_missing=True),
            caption="../report/comparisons.rst",
            category="Splits",
            subcategory="{study}",
            labels={"comparison": "{comparison}", "what": "plot"},
        ),
    log:
        paths.log("compare_splits", "{study}/{comparison}"),
    benchmark:
        paths.benchmark("compare_splits", "{study}/{comparison}")
    conda:
        ENVIRONMENT
    params:
        source=CODE.hashed("compare_splits"),
        how=lambda wildcards: STUDIES[wildcards.study].comparing(wildcards.comparison),
    shell:
        program(
            "compare_splits.py {params.how:q} --splits {input.splits:q}"
            " --sums --table {output.table:q} {output.page:q} --plot {output.drawn:q} {output.plot:q}"
            " > {log:q} 2>&1"
        )
