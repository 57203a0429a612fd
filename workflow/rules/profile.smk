# What one run of a model costs: counted, measured point by point, tabulated, drawn, and said.


rule count_parameters:
    input:
        JOBS.model_files,
    output:
        paths.COUNTED,
    log:
        paths.log("count_parameters", paths.COUNTED),
    benchmark:
        paths.benchmark("count_parameters", paths.COUNTED)
    # A part that a model lacks is found out before hours of measuring.
    priority: 50
    conda:
        ENVIRONMENT
    resources:
        **NEEDS.of("count_parameters"),
    params:
        source=CODE.hashed("count_parameters", "parts"),
        model=JOBS.graph_model,
        parts=PROFILES.parts,
    shell:
        program(
            "count_parameters.py {params.model:q} {params.parts:q} --out {output:q} > {log:q} 2>&1"
        )


rule profile_model:
    input:
        unpack(PROFILES.graphs),
        files=JOBS.model_files,
    output:
        paths.PROFILED,
    log:
        paths.log("profile_model", paths.PROFILED),
    benchmark:
        paths.benchmark("profile_model", paths.PROFILED)
    conda:
        ENVIRONMENT
    threads: profiled_cores
    resources:
        **NEEDS.of("profile_model"),
        gpu=gpus,
    params:
        source=CODE.hashed("profile_model", "example", "profiled"),
        model=JOBS.model,
        graphs=PROFILES.graph_options,
        how=PROFILES.how,
        timing=ALONE,
        tf32=TF32,
    shell:
        program(
            "profile_model.py {params.model:q} {params.graphs:q} {params.how:q} {params.timing:q}"
            " {params.tf32:q} --out {output:q} > {log:q} 2>&1"
        )


# A study may have more points than a command line holds, so they are listed in a file.
rule tabulate_profile:
    input:
        PROFILES.tabulated,
    output:
        profile=report(
            paths.study_table("profile"),
            caption="../report/profile.rst",
            category="Tables",
            labels={"table": "profile", "study": "{study}"},
        ),
        parameters=report(
            paths.study_table("parameters"),
            caption="../report/profile.rst",
            category="Tables",
            labels={"table": "parameters", "study": "{study}"},
        ),
        sums=[paths.sums(paths.study_table(table)) for table in paths.PROFILE_TABLES],
    log:
        paths.log("tabulate_profile", "{study}"),
    benchmark:
        paths.benchmark("tabulate_profile", "{study}")
    conda:
        ENVIRONMENT
    params:
        source=CODE.hashed("tabulate_profile", "scored_metrics"),
        points=PROFILES.listed,
    shell:
        program(
            "tabulate_profile.py --points {params.points:q} --profile {output.profile:q}"
            " --parameters {output.parameters:q} --sums > {log:q} 2>&1"
        )


rule plot_profile:
    input:
        profile=paths.study_table("profile"),
        parameters=paths.study_table("parameters"),
        sums=[paths.sums(paths.study_table(table)) for table in paths.PROFILE_TABLES],
    output:
        expand(paths.PROFILE_PLOT, suffix=["pdf", "svg"], allow_missing=True),
        report(
            expand(paths.PROFILE_PLOT, suffix="png", allow_missing=True),
            caption="../report/profile.rst",
            category="Plots",
            subcategory="{study}",
            labels={"study": "{study}", "plot": "{plot}"},
        ),
    log:
        paths.log("plot_profile", "{study}/{plot}"),
    benchmark:
        paths.benchmark("plot_profile", "{study}/{plot}")
    wildcard_constraints:
        plot="[a-z]+",
    conda:
        ENVIRONMENT
    params:
        source=CODE.hashed("plot_profile", "profile_plot"),
    shell:
        program(
            "plot_profile.py {wildcards.plot:q} --profile {input.profile:q}"
            " --parameters {input.parameters:q} --out {output:q} > {log:q} 2>&1"
        )


rule write_findings:
    input:
        unpack(PROFILES.published),
        profile=paths.study_table("profile"),
        parameters=paths.study_table("parameters"),
        sums=[paths.sums(paths.study_table(table)) for table in paths.PROFILE_TABLES],
    output:
        report(
            paths.FINDINGS,
            caption="../report/profile.rst",
            category="Findings",
            labels={"study": "{study}"},
        ),
    log:
        paths.log("write_findings", "{study}"),
    benchmark:
        paths.benchmark("write_findings", "{study}")
    conda:
        ENVIRONMENT
    params:
        source=CODE.hashed("write_findings"),
        published=lambda wildcards: JOBS.options(PROFILES.published(wildcards)),
    shell:
        program(
            "write_findings.py --profile {input.profile:q} --parameters {input.parameters:q}"
            " {params.published:q} --title {wildcards.study:q} --out {output:q} > {log:q} 2>&1"
        )
