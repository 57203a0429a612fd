# ONNX models: exported or taken as they are; and whole models run for the anchor.


rule convert_model:
    input:
        JOBS.model_files,
    output:
        model=paths.MODEL,
        facts=paths.FACTS,
    log:
        paths.log("convert_model", paths.MODEL),
    benchmark:
        paths.benchmark("convert_model", paths.MODEL)
    conda:
        ENVIRONMENT
    resources:
        **NEEDS.of("convert_model"),
    params:
        source=CODE.hashed("convert_model", "export"),
        model=JOBS.graph_model,
    shell:
        program(
            "convert_model.py {params.model:q} --out {output.model:q}"
            " --facts {output.facts:q} > {log:q} 2>&1"
        )


rule infer_anchor:
    input:
        unpack(JOBS.onnx),
        files=JOBS.model_files,
        data=JOBS.items_folder,
        index=paths.INDEX,
    output:
        predictions=paths.ANCHOR_PREDICTIONS,
        times=paths.times(paths.ANCHOR_PREDICTIONS),
    log:
        paths.log("infer_anchor", paths.ANCHOR_PREDICTIONS),
    benchmark:
        paths.benchmark("infer_anchor", paths.ANCHOR_PREDICTIONS)
    group:
        one_job(paths.ANCHOR_PREDICTIONS)
    conda:
        ENVIRONMENT
    threads: timed_cores
    resources:
        **NEEDS.of("infer_anchor"),
        gpu=gpus,
    params:
        source=CODE.hashed("infer_anchor", "trained", "size", "pipeline", "network"),
        model=JOBS.model,
        run_by=JOBS.run_by,
        timing=TIMING,
        precision=PRECISION,
    shell:
        program(
            "infer_anchor.py {params.model:q} {params.run_by:q} --index {input.index:q}"
            " --shard {wildcards.shard:q} {params.timing:q} {params.precision:q}"
            " --predictions {output.predictions:q} --times {output.times:q} > {log:q} 2>&1"
        )


# The items themselves are sent, as files: what splitting has to be better than.
rule infer_files:
    input:
        unpack(JOBS.onnx),
        files=JOBS.model_files,
        data=JOBS.items_folder,
        index=paths.INDEX,
    output:
        predictions=paths.FILES_PREDICTIONS,
        times=paths.times(paths.FILES_PREDICTIONS),
    log:
        paths.log("infer_files", paths.FILES_PREDICTIONS),
    benchmark:
        paths.benchmark("infer_files", paths.FILES_PREDICTIONS)
    group:
        one_job(paths.FILES_PREDICTIONS)
    conda:
        ENVIRONMENT
    threads: timed_cores
    resources:
        **NEEDS.of("infer_files"),
        gpu=gpus,
    params:
        source=CODE.hashed("infer_files", "trained", "pipeline", "network", "file_codec"),
        model=JOBS.model,
        run_by=JOBS.run_by,
        parameters=JOBS.parameters,
        timing=TIMING,
        precision=PRECISION,
    shell:
        program(
            "infer_files.py {params.model:q} {params.run_by:q} --index {input.index:q}"
            " --codec {wildcards.codec:q} --parameters {params.parameters:q}"
            " --shard {wildcards.shard:q} {params.timing:q} {params.precision:q}"
            " --predictions {output.predictions:q} --times {output.times:q} > {log:q} 2>&1"
        )
