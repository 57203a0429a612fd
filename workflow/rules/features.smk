# The features study: part I is the source of tensors, part II the sink that scores them.
SPLIT_FOLDER = "results/features/{model}/{dataset}/{split}"
POINT_FOLDER = SPLIT_FOLDER + "/{codec}/{parameters}"


def kept_tensors(path):
    """Keep the tensors by default, so that a new operating point does not run part I again."""
    return path if SETTINGS.config["keep_tensors"] else temp(path)


rule extract_features:
    input:
        part1="results/split/{model}/{split}/part1.onnx",
        plan="results/split/{model}/{split}/split.json",
        index="results/datasets/{dataset}.json",
        photos=asset_folder(DATASETS, "dataset"),
    output:
        tensors=kept_tensors(directory(SPLIT_FOLDER + "/tensors/{shard}")),
        times=SPLIT_FOLDER + "/tensors/{shard}.times.json",
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
        bitstreams=POINT_FOLDER + "/bitstreams/{shard}",
    output:
        predictions=POINT_FOLDER + "/predictions/{shard}.json",
        times=POINT_FOLDER + "/predictions/{shard}.times.json",
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
