# The features study: part I is the source of tensors, part II the sink that scores them.


rule extract_features:
    input:
        part1="results/split/{model}/{split}/part1.onnx",
        plan="results/split/{model}/{split}/split.json",
        index="results/datasets/{dataset}.json",
        photos=asset_folder(DATASETS, "dataset"),
    output:
        tensors=kept_tensors(
            directory("results/features/{model}/{dataset}/{split}/tensors/{shard}")
        ),
        times="results/features/{model}/{dataset}/{split}/tensors/{shard}.times.json",
    log:
        "logs/extract_features/{model}/{dataset}/{split}/{shard}.log",
    benchmark:
        "benchmarks/extract_features/{model}/{dataset}/{split}/{shard}.tsv"
    conda:
        "../../envs/nnrd.yaml"
    threads: TIMED_CORES
    resources:
        gpu=1,
    params:
        source=job_hash("extract_features"),
        detector=model_of("detector"),
        timing=TIMING,
    shell:
        "python scripts/extract_features.py --part1 {input.part1} --split {input.plan}"
        " --items {input.index} --shard {wildcards.shard} --detector {params.detector}"
        " {params.timing} --out {output.tensors} --times {output.times} > {log} 2>&1"


rule infer_features:
    input:
        part2="results/split/{model}/{split}/part2.onnx",
        plan="results/split/{model}/{split}/split.json",
        index="results/datasets/{dataset}.json",
        bitstreams="results/features/{model}/{dataset}/{split}/{codec}/{parameters}/bitstreams/{shard}",
    output:
        predictions="results/features/{model}/{dataset}/{split}/{codec}/{parameters}/predictions/{shard}.json",
        times="results/features/{model}/{dataset}/{split}/{codec}/{parameters}/predictions/{shard}.times.json",
    log:
        "logs/infer_features/{model}/{dataset}/{split}/{codec}/{parameters}/{shard}.log",
    benchmark:
        "benchmarks/infer_features/{model}/{dataset}/{split}/{codec}/{parameters}/{shard}.tsv"
    conda:
        "../../envs/nnrd.yaml"
    threads: TIMED_CORES
    resources:
        gpu=1,
    params:
        source=job_hash("infer_features"),
        detector=model_of("detector"),
        parameters=parameters_json,
        timing=TIMING,
    shell:
        "python scripts/infer_features.py --part2 {input.part2} --split {input.plan}"
        " --items {input.index} --shard {wildcards.shard} --detector {params.detector}"
        " --bitstreams {input.bitstreams} --codec {wildcards.codec}"
        " --parameters {params.parameters:q} {params.timing}"
        " --predictions {output.predictions} --times {output.times} > {log} 2>&1"
