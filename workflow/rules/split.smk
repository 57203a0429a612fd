# Split tables, and the numbers of TR 26.847, clause 5.3.9, beside ours.


rule split_model:
    input:
        "results/models/{model}.onnx",
    output:
        part1="results/split/{model}/{split}/part1.onnx",
        part2="results/split/{model}/{split}/part2.onnx",
        plan="results/split/{model}/{split}/split.json",
    log:
        "logs/split_model/{model}/{split}.log",
    benchmark:
        "benchmarks/split_model/{model}/{split}.tsv"
    conda:
        "../../envs/nnrd.yaml"
    params:
        source=source_hash("split_model"),
        folder=subpath(output.plan, parent=True),
        at=split_options,
    shell:
        "python scripts/split_model.py {input} {params.at} --out {params.folder} > {log} 2>&1"


rule tabulate_splits:
    input:
        "results/models/{model}.onnx",
    output:
        table="results/splits/{model}.csv",
        page=report(
            "results/splits/{model}.html",
            caption="../report/splits.rst",
            category="Splits",
            labels={"model": "{model}", "what": "all ranks"},
        ),
        plot="results/splits/{model}.svg",
    log:
        "logs/tabulate_splits/{model}.log",
    benchmark:
        "benchmarks/tabulate_splits/{model}.tsv"
    conda:
        "../../envs/nnrd.yaml"
    params:
        source=source_hash("tabulate_splits", "nnrd.split.measuring", "nnrd.split.plots"),
        shape=shape_option,
    shell:
        "python scripts/tabulate_splits.py {input} {params.shape} --csv {output.table}"
        " --plot {output.page} {output.plot} > {log} 2>&1"


# Photos of seven sizes, and a random input wide enough to be clipped after the resize:
# TR 26.847, Figures 5.3.9.6.2-2 and -3.
rule tabulate_photos:
    input:
        model=f"results/models/{layout.SIZED}.onnx",
        photos="resources/demo_photos",
    output:
        "results/splits/photos.csv",
    log:
        "logs/tabulate_photos.log",
    benchmark:
        "benchmarks/tabulate_photos.tsv"
    conda:
        "../../envs/nnrd.yaml"
    params:
        source=source_hash("tabulate_splits"),
        photos=layout.SIZED_PHOTOS,
    shell:
        "python scripts/tabulate_splits.py {input.model} --csv {output}"
        " --input $(printf '{input.photos}/%s ' {params.photos}) --shape input=3,320,640"
        " > {log} 2>&1"


rule compare_splits:
    input:
        unpack(lambda wildcards: layout.compared_splits(wildcards.comparison)),
    output:
        table="results/splits/tr26847/{comparison}.csv",
        page=report(
            "results/splits/tr26847/{comparison}.html",
            caption="../report/tr26847.rst",
            category="TR 26.847, theirs and ours",
            labels={"comparison": "{comparison}", "what": "table"},
        ),
        plot=report(
            "results/splits/tr26847/{comparison}.png",
            caption="../report/tr26847.rst",
            category="TR 26.847, theirs and ours",
            labels={"comparison": "{comparison}", "what": "plot"},
        ),
    log:
        "logs/compare_splits/{comparison}.log",
    benchmark:
        "benchmarks/compare_splits/{comparison}.tsv"
    wildcard_constraints:
        comparison="|".join((*layout.RANKED, "splitability")),
    conda:
        "../../envs/nnrd.yaml"
    params:
        source=source_hash("compare_splits"),
        how=lambda wildcards: "ranks" if wildcards.comparison in layout.RANKED else "splitability",
    shell:
        "python scripts/compare_splits.py {params.how} --splits {input.splits}"
        " --reference {input.reference} --table {output.table} {output.page}"
        " --plot {output.plot} > {log} 2>&1"


rule compare_photos:
    input:
        "results/splits/photos.csv",
    output:
        table="results/splits/tr26847/photos.csv",
        page=report(
            "results/splits/tr26847/photos.html",
            caption="../report/tr26847.rst",
            category="TR 26.847, theirs and ours",
            labels={"comparison": "photos", "what": "table"},
        ),
        plots=report(
            expand("results/splits/tr26847/photos-{kind}.png", kind=("lines", "bars")),
            caption="../report/tr26847.rst",
            category="TR 26.847, theirs and ours",
            labels={"comparison": "photos", "what": "plot"},
        ),
    log:
        "logs/compare_photos.log",
    benchmark:
        "benchmarks/compare_photos.tsv"
    conda:
        "../../envs/nnrd.yaml"
    params:
        source=source_hash("compare_splits"),
        ranks=layout.SIZED_RANKS,
    shell:
        "python scripts/compare_splits.py inputs --splits {input} --ranks {params.ranks}"
        " --table {output.table} {output.page} --plot {output.plots} > {log} 2>&1"
