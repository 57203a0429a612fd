# Points and anchors scored one by one, and put into tables.


def record_inputs(wildcards):
    """Return what a point or an anchor was measured by; names are options of score_point."""
    record = RECORDS[wildcards.folder]
    shards = SHARDS[record.dataset]

    def steps(folder, kind):
        return [f"results/{folder}/{kind}/{shard}.times.json" for shard in shards]

    anchor = f"anchor/{record.model}/{record.dataset}"
    inputs = {
        "truth": annotations_input(record.dataset),
        "anchor": [f"results/{anchor}/predictions/{shard}.json" for shard in shards],
        "predictions": [f"results/{record.folder}/predictions/{shard}.json" for shard in shards],
        "inferred": steps(record.folder, "predictions"),
    }
    if record.folder != anchor:
        inputs["anchor_record"] = f"results/{anchor}/point.json"
        inputs["split"] = f"results/split/{record.model}/{record.split.id}/split.json"
        inputs["source"] = steps(record.source, "tensors")
        inputs["encoded"] = steps(record.folder, "bitstreams")
    return inputs


def record_options(wildcards, input):
    """Return the inputs as options of score_point."""
    given = {key: value for key, value in input.items() if key != "truth"}
    return " ".join(f"--{key.replace('_', '-')} {value}" for key, value in given.items())


def record_task(wildcards):
    """Return the task of a point or an anchor."""
    return MODELS[RECORDS[wildcards.folder].model]["task"]


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
        point=lambda wildcards: json.dumps(RECORDS[wildcards.folder].label),
        annotations=lambda wildcards: annotations(RECORDS[wildcards.folder].dataset),
        options=record_options,
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
        report("results/tables/{table}.csv", caption="../report/{table}.rst", category="Tables"),
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
