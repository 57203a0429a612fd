# Models cut in two, and tables of what crosses at every rank.


rule split_model:
    input:
        model=paths.MODEL,
        facts=paths.FACTS,
    output:
        part1=paths.PART1,
        part2=paths.PART2,
        plan=paths.PLAN,
    log:
        paths.log("split_model", "{model}/{split}"),
    benchmark:
        paths.benchmark("split_model", "{model}/{split}")
    conda:
        "../../envs/nnrd.yaml"
    params:
        source=source_hash("nnrd.stages.split_model"),
        folder=subpath(output.plan, parent=True),
        at=JOBS.split,
    shell:
        "python scripts/split_model.py {input.model:q} --facts {input.facts:q} {params.at:q}"
        " --out {params.folder:q} > {log:q} 2>&1"
