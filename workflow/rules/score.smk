# Points and anchors scored one by one, and put into tables.


rule score_point:
    input:
        unpack(record_inputs),
    output:
        "results/{folder}/point.json",
    log:
        "logs/score_point/{folder}.log",
    benchmark:
        "benchmarks/score_point/{folder}.tsv"
    conda:
        "../../envs/nnrd.yaml"
    params:
        source=lambda wildcards: source_hash("score_point", f"nnrd.tasks.{record_task(wildcards)}"),
        task=record_task,
        point=lambda wildcards: json.dumps(RECORDS[wildcards.folder][1].label),
        annotations=lambda wildcards: layout.annotations(
            SETTINGS, RECORDS[wildcards.folder][1].dataset
        ),
        options=input_options,
    shell:
        "python scripts/score_point.py --task {params.task} --point {params.point:q}"
        " --annotations {params.annotations} {params.options} --out {output} > {log} 2>&1"


rule tabulate_points:
    input:
        lambda wildcards: [
            f"results/{record.folder}/point.json" for record in STUDIES[wildcards.study].records
        ],
    output:
        points="results/tables/{study}/points.csv",
        per_item="results/tables/{study}/items.csv",
    log:
        "logs/tabulate_points/{study}.log",
    benchmark:
        "benchmarks/tabulate_points/{study}.tsv"
    conda:
        "../../envs/nnrd.yaml"
    params:
        source=source_hash("tabulate_points"),
    shell:
        "python scripts/tabulate_points.py --study {wildcards.study} --records {input}"
        " --points {output.points} --items {output.per_item} > {log} 2>&1"


rule join_tables:
    input:
        expand("results/tables/{study}/{{table}}.csv", study=STUDIES),
    output:
        report(
            "results/tables/{table}.csv",
            caption="../report/tables.rst",
            category="Tables",
            labels={"table": "{table}"},
        ),
    log:
        "logs/join_tables/{table}.log",
    benchmark:
        "benchmarks/join_tables/{table}.tsv"
    wildcard_constraints:
        table="points|items",
    conda:
        "../../envs/nnrd.yaml"
    params:
        source=source_hash("join_tables"),
    shell:
        "python scripts/join_tables.py {input} --out {output} > {log} 2>&1"
