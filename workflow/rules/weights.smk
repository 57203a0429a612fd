# The weights study: a model's tensors are the source, the model filled and evaluated the sink.


rule extract_weights:
    input:
        unpack(JOBS.onnx),
        files=JOBS.model_files,
    output:
        tensors=kept_tensors(directory(paths.WEIGHTS_TENSORS)),
        times=paths.times(paths.WEIGHTS_TENSORS),
    log:
        paths.log("extract_weights", paths.WEIGHTS_TENSORS),
    benchmark:
        paths.benchmark("extract_weights", paths.WEIGHTS_TENSORS)
    conda:
        ENVIRONMENT
    resources:
        **NEEDS.of("extract_weights"),
    params:
        source=CODE.hashed("extract_weights", "tensors", "weights"),
        model=JOBS.graph_model,
        run_by=JOBS.run_by,
    shell:
        program(
            "extract_weights.py {params.model:q} {params.run_by:q}"
            " --out {output.tensors:q} --times {output.times:q} > {log:q} 2>&1"
        )


rule transform_model:
    input:
        unpack(JOBS.calibration),
        files=JOBS.model_files,
        tensors=paths.WEIGHTS_TENSORS,
        source=paths.times(paths.WEIGHTS_TENSORS),
    output:
        tensors=kept_tensors(directory(paths.TRANSFORMED)),
        times=paths.times(paths.TRANSFORMED),
    log:
        paths.log("transform_model", paths.TRANSFORMED),
    benchmark:
        paths.benchmark("transform_model", paths.TRANSFORMED)
    conda:
        ENVIRONMENT
    resources:
        **NEEDS.of("transform_model"),
    params:
        source=CODE.hashed("transform_model", "transform", "network", "pipeline"),
        model=JOBS.model,
        transform=JOBS.transform,
        calibration=lambda wildcards: JOBS.options(JOBS.calibration(wildcards)),
    shell:
        program(
            "transform_model.py {params.model:q} --tensors {input.tensors:q}"
            " --source {input.source:q} {params.transform:q} {params.calibration:q}"
            " --out {output.tensors:q} --times {output.times:q} > {log:q} 2>&1"
        )


rule decode_weights:
    input:
        bitstreams=paths.whole(paths.BITSTREAMS),
        encoded=paths.times(paths.whole(paths.BITSTREAMS)),
        source=paths.times(paths.whole(paths.TENSORS)),
    output:
        tensors=temp(directory(paths.DECODED)),
        times=paths.times(paths.DECODED),
    log:
        paths.log("decode_weights", paths.DECODED),
    benchmark:
        paths.benchmark("decode_weights", paths.DECODED)
    wildcard_constraints:
        source="weights/.+",
    group:
        one_job(paths.DECODED)
    conda:
        ENVIRONMENT
    threads: coding_cores
    resources:
        **NEEDS.of("decode_weights"),
        workers=coding_workers,
    params:
        source=CODE.hashed("decode_weights", "codec"),
        parameters=JOBS.parameters,
        timing=ALONE,
    shell:
        program(
            "decode_weights.py --bitstreams {input.bitstreams:q}"
            " --encoded {input.encoded:q} --source {input.source:q} --of {wildcards.source:q}"
            " --codec {wildcards.codec:q} --parameters {params.parameters:q} {params.timing:q}"
            " --threads {resources.workers} --out {output.tensors:q} --times {output.times:q}"
            " > {log:q} 2>&1"
        )


rule infer_weights:
    input:
        unpack(JOBS.onnx),
        files=JOBS.model_files,
        data=JOBS.items_folder,
        index=paths.INDEX,
        weights=paths.whole(paths.DECODED),
        decoded=paths.times(paths.whole(paths.DECODED)),
    output:
        predictions=paths.WEIGHTS_PREDICTIONS,
        times=paths.times(paths.WEIGHTS_PREDICTIONS),
    log:
        paths.log("infer_weights", paths.WEIGHTS_PREDICTIONS),
    benchmark:
        paths.benchmark("infer_weights", paths.WEIGHTS_PREDICTIONS)
    wildcard_constraints:
        source="weights/.+",
    group:
        one_job(paths.WEIGHTS_PREDICTIONS)
    conda:
        ENVIRONMENT
    threads: timed_cores
    resources:
        **NEEDS.of("infer_weights"),
        gpu=gpus,
    params:
        source=CODE.hashed("infer_weights", "received", "pipeline", "network", "transform"),
        model=JOBS.model,
        run_by=JOBS.run_by,
        transform=JOBS.transform,
        timing=TIMING,
        precision=PRECISION,
    shell:
        program(
            "infer_weights.py {params.model:q} {params.run_by:q}"
            " {params.transform:q} --weights {input.weights:q} --decoded {input.decoded:q}"
            " --index {input.index:q} --shard {wildcards.shard:q} {params.timing:q}"
            " {params.precision:q} --predictions {output.predictions:q} --times {output.times:q}"
            " > {log:q} 2>&1"
        )
