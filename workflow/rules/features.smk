# The features study: part I is the source of tensors, part II the sink that scores them.


rule extract_features:
    input:
        part1=paths.PART1,
        plan=paths.PLAN,
        index=paths.INDEX,
        data=JOBS.items_folder,
        files=JOBS.model_files,
    output:
        tensors=kept_tensors(directory(paths.FEATURES_TENSORS)),
        times=paths.times(paths.FEATURES_TENSORS),
    log:
        paths.log("extract_features", paths.FEATURES_TENSORS),
    benchmark:
        paths.benchmark("extract_features", paths.FEATURES_TENSORS)
    conda:
        ENVIRONMENT
    threads: timed_cores
    resources:
        **NEEDS.of("extract_features"),
        gpu=gpus,
    params:
        source=CODE.hashed("extract_features", "preprocessing"),
        model=JOBS.input_model,
        timing=TIMING,
        tf32=TF32,
        run_on=JOBS.run_on,
    shell:
        program(
            "extract_features.py --part1 {input.part1:q} --split {input.plan:q}"
            " {params.model:q} --index {input.index:q} --shard {wildcards.shard:q}"
            " {params.timing:q} {params.tf32:q} {params.run_on:q} --out {output.tensors:q} --times {output.times:q} > {log:q} 2>&1"
        )


rule extract_outputs:
    input:
        onnx=paths.MODEL,
        facts=paths.FACTS,
        index=paths.INDEX,
        data=JOBS.items_folder,
        files=JOBS.model_files,
    output:
        outputs=kept_tensors(directory(paths.OUTPUTS)),
        times=paths.times(paths.OUTPUTS),
    log:
        paths.log("extract_outputs", paths.OUTPUTS),
    benchmark:
        paths.benchmark("extract_outputs", paths.OUTPUTS)
    conda:
        ENVIRONMENT
    threads: timed_cores
    resources:
        **NEEDS.of("extract_outputs"),
        gpu=gpus,
    params:
        source=CODE.hashed("extract_outputs", "preprocessing"),
        model=JOBS.input_model,
        timing=TIMING,
        tf32=TF32,
        run_on=JOBS.run_on,
    shell:
        program(
            "extract_outputs.py --onnx {input.onnx:q} --facts {input.facts:q}"
            " {params.model:q} --index {input.index:q} --shard {wildcards.shard:q}"
            " {params.timing:q} {params.tf32:q} {params.run_on:q} --out {output.outputs:q} --times {output.times:q} > {log:q} 2>&1"
        )


rule infer_features:
    input:
        part2=paths.PART2,
        plan=paths.PLAN,
        index=paths.INDEX,
        files=JOBS.model_files,
        bitstreams=paths.FEATURES_BITSTREAMS,
        encoded=paths.times(paths.FEATURES_BITSTREAMS),
        outputs=paths.OUTPUTS,
        reference=paths.times(paths.OUTPUTS),
    output:
        predictions=paths.FEATURES_PREDICTIONS,
        times=paths.times(paths.FEATURES_PREDICTIONS),
    log:
        paths.log("infer_features", paths.FEATURES_PREDICTIONS),
    benchmark:
        paths.benchmark("infer_features", paths.FEATURES_PREDICTIONS)
    group:
        one_job(paths.FEATURES_PREDICTIONS)
    conda:
        ENVIRONMENT
    threads: timed_cores
    resources:
        **NEEDS.of("infer_features"),
        gpu=gpus,
    params:
        source=CODE.hashed("infer_features", "postprocessing", "network", "codec"),
        of=paths.FEATURES,
        model=JOBS.model,
        parameters=JOBS.parameters,
        timing=TIMING,
        tf32=TF32,
        run_on=JOBS.run_on,
    shell:
        program(
            "infer_features.py --part2 {input.part2:q} --split {input.plan:q}"
            " {params.model:q} --index {input.index:q} --shard {wildcards.shard:q}"
            " --bitstreams {input.bitstreams:q} --encoded {input.encoded:q} --of {params.of:q}"
            " --outputs {input.outputs:q} --reference {input.reference:q}"
            " --codec {wildcards.codec:q} --parameters {params.parameters:q} {params.timing:q}"
            " {params.tf32:q} {params.run_on:q} --predictions {output.predictions:q} --times {output.times:q} > {log:q} 2>&1"
        )
