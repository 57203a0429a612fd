# Bundles of tensors into bitstreams, whichever study they are of.


rule encode_tensors:
    input:
        tensors=paths.TENSORS,
        source=paths.times(paths.TENSORS),
    output:
        bitstreams=directory(paths.BITSTREAMS),
        times=paths.times(paths.BITSTREAMS),
    log:
        paths.log("encode_tensors", paths.BITSTREAMS),
    benchmark:
        paths.benchmark("encode_tensors", paths.BITSTREAMS)
    conda:
        ENVIRONMENT
    threads: coding_cores
    resources:
        **NEEDS.of("encode_tensors"),
        workers=coding_workers,
    params:
        source=CODE.hashed("encode_tensors", "codec"),
        parameters=JOBS.parameters,
        timing=ALONE,
    shell:
        program(
            "encode_tensors.py --tensors {input.tensors:q} --source {input.source:q}"
            " --of {wildcards.source:q} --codec {wildcards.codec:q} --parameters {params.parameters:q}"
            " {params.timing:q} --threads {resources.workers} --out {output.bitstreams:q} --times {output.times:q} > {log:q} 2>&1"
        )
