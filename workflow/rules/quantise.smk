# Models that a codec takes as a whole, such as INT8: graphs in, files that a runtime runs out.


rule convert_graph:
    input:
        JOBS.model_files,
    output:
        model=paths.GRAPH,
        facts=paths.GRAPH_FACTS,
    log:
        paths.log("convert_graph", paths.GRAPH),
    benchmark:
        paths.benchmark("convert_graph", paths.GRAPH)
    conda:
        ENVIRONMENT
    resources:
        **NEEDS.of("convert_graph"),
    params:
        source=CODE.hashed("convert_graph", "graphs"),
        model=JOBS.graph_model,
    shell:
        program(
            "convert_graph.py {params.model:q} --graph {wildcards.graph:q} --out {output.model:q}"
            " --facts {output.facts:q} > {log:q} 2>&1"
        )


rule quantise_model:
    input:
        unpack(JOBS.graphs),
        unpack(JOBS.looked_at),
        files=JOBS.model_files,
        data=JOBS.looked_at_folder,
    output:
        made=directory(paths.QUANTISED),
        times=paths.times(paths.QUANTISED),
    log:
        paths.log("quantise_model", paths.QUANTISED),
    benchmark:
        paths.benchmark("quantise_model", paths.QUANTISED)
    conda:
        ENVIRONMENT
    threads: timed_cores
    resources:
        **NEEDS.of("quantise_model"),
    params:
        source=CODE.hashed("quantise_model", "pipeline", "model_codec", "looked_at_task"),
        model=JOBS.model,
        parameters=JOBS.parameters,
        calibration=lambda wildcards: JOBS.options(JOBS.looked_at(wildcards)),
        timing=TIMING,
    shell:
        program(
            "quantise_model.py {params.model:q} --graphs {input.graphs:q} --facts {input.facts:q}"
            " {params.calibration:q} --codec {wildcards.codec:q} --parameters {params.parameters:q}"
            " {params.timing:q} --out {output.made:q} --times {output.times:q} > {log:q} 2>&1"
        )


rule infer_quantised:
    input:
        unpack(JOBS.looked_at),
        files=JOBS.model_files,
        data=JOBS.items_folder,
        index=paths.INDEX,
        quantised=paths.QUANTISED,
        encoded=paths.times(paths.QUANTISED),
    output:
        predictions=paths.QUANTISED_PREDICTIONS,
        times=paths.times(paths.QUANTISED_PREDICTIONS),
    log:
        paths.log("infer_quantised", paths.QUANTISED_PREDICTIONS),
    benchmark:
        paths.benchmark("infer_quantised", paths.QUANTISED_PREDICTIONS)
    group:
        one_job(paths.QUANTISED_PREDICTIONS)
    conda:
        ENVIRONMENT
    threads: timed_cores
    resources:
        **NEEDS.of("infer_quantised"),
    params:
        source=CODE.hashed("infer_quantised", "pipeline", "model_codec"),
        model=JOBS.model,
        parameters=JOBS.parameters,
        calibration=lambda wildcards: JOBS.options(JOBS.looked_at(wildcards)),
        timing=TIMING,
    shell:
        program(
            "infer_quantised.py {params.model:q} --quantised {input.quantised:q}"
            " --encoded {input.encoded:q} {params.calibration:q} --codec {wildcards.codec:q}"
            " --parameters {params.parameters:q} --index {input.index:q} --shard {wildcards.shard:q}"
            " {params.timing:q} --predictions {output.predictions:q} --times {output.times:q}"
            " > {log:q} 2>&1"
        )
