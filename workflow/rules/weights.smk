# The weights study: a model's tensors are the source, the model filled and evaluated the sink.


rule extract_weights:
    input:
        asset_folder(MODELS, "model"),
    output:
        tensors=kept_tensors(directory("results/weights/{model}/tensors/{shard}")),
        times="results/weights/{model}/tensors/{shard}.times.json",
    log:
        "logs/extract_weights/{model}/{shard}.log",
    benchmark:
        "benchmarks/extract_weights/{model}/{shard}.tsv"
    wildcard_constraints:
        model=models_with("network"),
        shard="0-of-1",
    # A network without an asset is downloaded here.
    priority: 50
    conda:
        "../../envs/nnrd.yaml"
    params:
        source=job_hash("extract_weights"),
        network=model_of("network"),
        assets=asset_option,
    shell:
        "python scripts/extract_weights.py --network {params.network} {params.assets}"
        " --out {output.tensors} --times {output.times} > {log} 2>&1"


rule infer_weights:
    input:
        asset_folder(MODELS, "model"),
        asset_folder(DATASETS, "dataset"),
        index="results/datasets/{dataset}.json",
        bitstreams="results/weights/{model}/{codec}/{parameters}/bitstreams/0-of-1",
    output:
        predictions="results/weights/{model}/{codec}/{parameters}/{dataset}/predictions/{shard}.json",
        times="results/weights/{model}/{codec}/{parameters}/{dataset}/predictions/{shard}.times.json",
    log:
        "logs/infer_weights/{model}/{codec}/{parameters}/{dataset}/{shard}.log",
    benchmark:
        "benchmarks/infer_weights/{model}/{codec}/{parameters}/{dataset}/{shard}.tsv"
    wildcard_constraints:
        model=models_with("network"),
    conda:
        "../../envs/nnrd.yaml"
    threads: TIMED_CORES
    resources:
        gpu=1,
    params:
        source=job_hash("infer_weights"),
        network=model_of("network"),
        assets=asset_option,
        parameters=parameters_json,
        timing=TIMING,
        precision=PRECISION,
    shell:
        "python scripts/infer_weights.py --network {params.network} {params.assets}"
        " --bitstreams {input.bitstreams} --codec {wildcards.codec}"
        " --parameters {params.parameters:q} --items {input.index} --shard {wildcards.shard}"
        " {params.timing} {params.precision}"
        " --predictions {output.predictions} --times {output.times} > {log} 2>&1"


rule infer_weights_anchor:
    input:
        asset_folder(MODELS, "model"),
        asset_folder(DATASETS, "dataset"),
        index="results/datasets/{dataset}.json",
        tensors="results/weights/{model}/tensors/0-of-1",
    output:
        predictions="results/anchor/{model}/{dataset}/predictions/{shard}.json",
        times="results/anchor/{model}/{dataset}/predictions/{shard}.times.json",
    log:
        "logs/infer_weights_anchor/{model}/{dataset}/{shard}.log",
    benchmark:
        "benchmarks/infer_weights_anchor/{model}/{dataset}/{shard}.tsv"
    wildcard_constraints:
        model=models_with("network"),
    conda:
        "../../envs/nnrd.yaml"
    threads: TIMED_CORES
    resources:
        gpu=1,
    params:
        source=job_hash("infer_weights_anchor"),
        network=model_of("network"),
        assets=asset_option,
        timing=TIMING,
        precision=PRECISION,
    shell:
        "python scripts/infer_weights_anchor.py --network {params.network} {params.assets}"
        " --tensors {input.tensors} --items {input.index} --shard {wildcards.shard}"
        " {params.timing} {params.precision}"
        " --predictions {output.predictions} --times {output.times} > {log} 2>&1"
