# nnrd: what it costs to send neural networks, and the tensors inside them, over a network.
from snakemake.utils import min_version

min_version("9.27")


report: "workflow/report/workflow.rst"


include: "workflow/rules/settings.smk"
include: "workflow/rules/common.smk"
include: "workflow/rules/assets.smk"
include: "workflow/rules/models.smk"
include: "workflow/rules/split.smk"
include: "workflow/rules/features.smk"
include: "workflow/rules/weights.smk"
include: "workflow/rules/quantise.smk"
include: "workflow/rules/profile.smk"
include: "workflow/rules/encode.smk"
include: "workflow/rules/score.smk"
include: "workflow/rules/plots.smk"
include: "workflow/rules/report.smk"


# On a cluster these run where Snakemake does: nodes may have no network, and what takes seconds, a few
# times a study, is not worth a place in a queue.
localrules:
    all,
    fetch_asset,
    tabulate_points,
    tabulate_latency,
    join_tables,
    plot_points,
    plot_splits,
    tabulate_profile,
    plot_profile,
    write_findings,
    draw_overlays,
    draw_split_page,
    compare_splits,
    write_provenance,


rule all:
    input:
        paths.PROVENANCE,
        inputs.pictures(SETTINGS),
