# Points and anchors scored one by one, and put into tables.


rule score_point:
    input:
        unpack(JOBS.record_inputs),
    output:
        paths.RECORD,
    log:
        paths.log("score_point", paths.RECORD),
    benchmark:
        paths.benchmark("score_point", paths.RECORD)
    group:
        one_job(paths.RECORD)
    conda:
        ENVIRONMENT
    params:
        source=CODE.hashed("score_point", "task"),
        record=JOBS.record,
        options=input_options,
    shell:
        program(
            "score_point.py {params.record:q} {params.options:q} --out {output:q}"
            " > {log:q} 2>&1"
        )


# A study may have more records than a command line holds, so they are listed in a file.
rule tabulate_points:
    input:
        lambda wildcards: TABLES.study_records(wildcards.study),
    output:
        points=paths.study_table("points"),
        per_item=paths.study_table("items"),
        sums=[paths.sums(paths.study_table(table)) for table in paths.TABLES],
    log:
        paths.log("tabulate_points", "{study}"),
    benchmark:
        paths.benchmark("tabulate_points", "{study}")
    wildcard_constraints:
        # The tables of other studies are taken as they are.
        study="|".join(TABLES.measured) or "-",
    conda:
        ENVIRONMENT
    params:
        source=CODE.hashed("tabulate_points", "metrics"),
        records=lambda wildcards: TABLES.record_list(wildcards),
        uncompressed=lambda wildcards: STUDIES[wildcards.study].kind.uncompressed,
        max_loss=JOBS.max_loss,
    shell:
        program(
            "tabulate_points.py --study {wildcards.study:q} {params.max_loss:q}"
            " --records {params.records:q} --uncompressed {params.uncompressed:q}"
            " --points {output.points:q} --items {output.per_item:q} --sums > {log:q} 2>&1"
        )


rule tabulate_latency:
    input:
        points=paths.study_table("points"),
        per_item=paths.study_table("items"),
        sums=[paths.sums(paths.study_table(table)) for table in paths.TABLES],
    output:
        table=report(
            paths.study_table("latency"),
            caption="../report/latency.rst",
            category="Tables",
            labels={"table": "latency", "study": "{study}"},
        ),
        sums=paths.sums(paths.study_table("latency")),
    log:
        paths.log("tabulate_latency", "{study}"),
    benchmark:
        paths.benchmark("tabulate_latency", "{study}")
    conda:
        ENVIRONMENT
    params:
        source=CODE.hashed("tabulate_latency", "judging"),
        given=JOBS.latency,
    shell:
        program(
            "tabulate_latency.py --points {input.points:q} --items {input.per_item:q}"
            " {params.given:q} --latency {output.table:q} --sums > {log:q} 2>&1"
        )


rule join_tables:
    input:
        tables=lambda wildcards: TABLES.joined_tables(wildcards),
        sums=lambda wildcards: map(paths.sums, TABLES.joined_tables(wildcards)),
    output:
        table=report(
            paths.TABLE,
            caption="../report/tables.rst",
            category="Tables",
            labels={"table": "{table}"},
        ),
        sums=paths.sums(paths.TABLE),
    log:
        paths.log("join_tables", paths.TABLE),
    benchmark:
        paths.benchmark("join_tables", paths.TABLE)
    wildcard_constraints:
        table="points|items",
    conda:
        ENVIRONMENT
    params:
        source=CODE.hashed("join_tables"),
    shell:
        program("join_tables.py {input.tables:q} --out {output.table:q} --sums > {log:q} 2>&1")
