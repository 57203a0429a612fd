# nnrd: what it costs to send neural networks, and the tensors inside them, over a network.
from snakemake.utils import min_version

min_version("9.27")


report: "workflow/report/workflow.rst"


include: "workflow/rules/common.smk"
include: "workflow/rules/assets.smk"
include: "workflow/rules/models.smk"
include: "workflow/rules/split.smk"
include: "workflow/rules/features.smk"
include: "workflow/rules/weights.smk"
include: "workflow/rules/encode.smk"
include: "workflow/rules/score.smk"
include: "workflow/rules/plots.smk"
include: "workflow/rules/report.smk"


# On a cluster these run where Snakemake does: nodes may have no network.
localrules:
    all,
    fetch_asset,


rule all:
    input:
        paths.PROVENANCE,
        inputs.pictures(SETTINGS),
