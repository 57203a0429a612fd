# Bundles of tensors into bitstreams, whichever study they are of.


rule encode_tensors:
    input:
        "results/{source}/tensors/{shard}",
    output:
        bitstreams=directory("results/{source}/{codec}/{parameters}/bitstreams/{shard}"),
        times="results/{source}/{codec}/{parameters}/bitstreams/{shard}.times.json",
    log:
        "logs/encode_tensors/{source}/{codec}/{parameters}/{shard}.log",
    benchmark:
        "benchmarks/encode_tensors/{source}/{codec}/{parameters}/{shard}.tsv"
    conda:
        "../../envs/nnrd.yaml"
    threads: TIMED_CORES
    params:
        source=job_hash("encode_tensors"),
        parameters=parameters_json,
        timing=TIMING,
    shell:
        "python scripts/encode_tensors.py --tensors {input} --codec {wildcards.codec}"
        " --parameters {params.parameters:q} {params.timing}"
        " --out {output.bitstreams} --times {output.times} > {log} 2>&1"
