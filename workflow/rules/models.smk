# ONNX models: exported or taken as they are, and run whole for the anchor.


rule convert_model:
    input:
        asset_folder(MODELS, "model"),
    output:
        model="results/models/{model}.onnx",
        facts="results/models/{model}.json",
    log:
        "logs/convert_model/{model}.log",
    benchmark:
        "benchmarks/convert_model/{model}.tsv"
    conda:
        "../../envs/nnrd.yaml"
    params:
        source=model_hash,
        architecture=model_of("architecture"),
        options=model_options,
    shell:
        "python scripts/convert_model.py {params.architecture} {output.model} {params.options}"
        " --facts {output.facts} > {log} 2>&1"


rule infer_anchor:
    input:
        model="results/models/{model}.onnx",
        index="results/datasets/{dataset}.json",
        photos=asset_folder(DATASETS, "dataset"),
    output:
        predictions="results/anchor/{model}/{dataset}/predictions/{shard}.json",
        times="results/anchor/{model}/{dataset}/predictions/{shard}.times.json",
    log:
        "logs/infer_anchor/{model}/{dataset}/{shard}.log",
    benchmark:
        "benchmarks/infer_anchor/{model}/{dataset}/{shard}.tsv"
    wildcard_constraints:
        model=models_with("detector"),
    conda:
        "../../envs/nnrd.yaml"
    threads: TIMED_CORES
    resources:
        gpu=1,
    params:
        source=job_hash("infer_anchor"),
        detector=model_of("detector"),
        timing=TIMING,
    shell:
        "python scripts/infer_anchor.py --model {input.model} --items {input.index}"
        " --shard {wildcards.shard} --detector {params.detector} {params.timing}"
        " --predictions {output.predictions} --times {output.times} > {log} 2>&1"
