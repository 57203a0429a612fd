"""Which files a job reads and which pictures a run makes: pure functions of the settings."""

from collections.abc import Iterable, Mapping
from pathlib import PurePosixPath

from nnrd.config import Settings, Study
from nnrd.points import ALL, KINDS, Anchor, Point, slug


def annotations(settings: Settings, dataset: str) -> str:
    """Return a dataset's ground truth: a file of the checkout, or one within an asset."""
    path = PurePosixPath(settings.datasets[dataset]["annotations"])
    return str("resources" / path if path.parts[0] in settings.assets else path)


def annotations_input(settings: Settings, dataset: str) -> str:
    """Return what must be there for the ground truth to be there: its file or its asset."""
    path = PurePosixPath(annotations(settings, dataset))
    return str(PurePosixPath(*path.parts[:2])) if path.parts[0] == "resources" else str(path)


def folder(rows: Mapping[str, Mapping], name: str) -> str | None:
    """Return where the files of a model or dataset are: its asset, or a folder of the machine."""
    row = rows[name]
    return f"resources/{row['asset']}" if "asset" in row else row.get("folder")


def predictions(study: Study, folder: str) -> list[str]:
    """Return the predictions of a point or an anchor, a file a shard."""
    return [f"results/{folder}/predictions/{shard}.json" for shard in study.shards]


def times(shards: Iterable[str], folder: str, step: str) -> list[str]:
    """Return the times of a step (``tensors``, ``bitstreams``, ``predictions``)."""
    return [f"results/{folder}/{step}/{shard}.times.json" for shard in shards]


def record_inputs(settings: Settings, study: Study, record: Anchor | Point) -> dict:
    """Return what a point or an anchor was measured by; the names are options of score_point."""
    anchor = study.anchor.folder
    inputs = {
        "truth": annotations_input(settings, study.dataset),
        "index": f"results/datasets/{study.dataset}.json",
        "anchor": predictions(study, anchor),
        "predictions": predictions(study, record.folder),
        "inferred": times(study.shards, record.folder, "predictions"),
    }
    if record == study.anchor:
        return inputs
    shards = record.source_shards(study.shards)
    split = {"split": record.plan} if record.plan else {}
    return (
        inputs
        | split
        | {
            "anchor_record": f"results/{anchor}/point.json",
            "source": times(shards, record.source, "tensors"),
            "encoded": times(shards, record.encoded, "bitstreams"),
        }
    )


def overlay(study: Study, point: Point) -> str:
    """Return the picture of a point's detections beside the anchor's."""
    at = f"{point.split.id}/{point.codec}/{slug(point.parameters)}"
    return f"results/plots/{study.name}/overlays/{at}.png"


def overlay_inputs(settings: Settings, study: Study, picture: str) -> dict:
    """Return what an overlay is drawn from; the names are options of draw_overlays."""
    point = next(point for point in study.overlays if overlay(study, point) == picture)
    return {
        "index": f"results/datasets/{study.dataset}.json",
        "truth": annotations_input(settings, study.dataset),
        "anchor": predictions(study, study.anchor.folder),
        "point": predictions(study, point.folder),
    }


def points_table(study: str) -> str:
    """Return the table of points of a study, or of all."""
    return "results/tables/points.csv" if study == ALL else f"results/tables/{study}/points.csv"


def pictures(settings: Settings) -> list[str]:
    """Return all plots and overlays of a run."""
    studies = settings.studies.values()
    plots = [f"results/plots/{study.name}/{plot}.png" for study in studies for plot in study.plots]
    joint = dict.fromkeys(plot for study in studies for plot in KINDS[study.kind].joint_plots)
    plots += [f"results/plots/{ALL}/{plot}.png" for plot in joint]
    return plots + [overlay(study, point) for study in studies for point in study.overlays]


def asset_sums(settings: Settings) -> dict[str, str]:
    """Return the SHA-256 of every file that the studies use, by asset and name."""
    studies = settings.studies.values()
    named = [settings.models[study.model] for study in studies]
    named += [settings.datasets[study.dataset] for study in studies]
    used = {row["asset"] for row in named if "asset" in row}
    rows = [row for asset in sorted(used) for row in settings.assets[asset]]
    return {f"{row['asset']}/{row['file']}": row["sha256"] for row in rows}


# 3GPP TR 26.847, clause 5.3.9: the models whose published splits are set beside ours, those of
# the splitability table, and the one whose sizes depend on the photo.
RANKED = ("ssd300_resnet50", "retinanet_resnet50_fpn_v2")
TABULATED = (
    *RANKED,
    *("yolo-v2", "yolo-v4", "tiny-yolo-v2", "mobilenet-v3", "resnet152", "resnet18", "resnext50"),
    *("squeezenet", "efficientnet", "caffenet", "inception", "vgg16", "nerf"),
)
SIZED = "retinanet_resnet50_fpn_v2"
SIZED_RANKS = (98, 198, 298, 498, 798, 1098, 1398)  # the TR's less 2: two nodes of its file
SIZED_PHOTOS = (
    *("chelsea.png", "voc.jpg", "astronaut.png", "coffee.png", "china.jpg"),
    *("motorcycle_left.png", "imagenet_10_541.jpg"),
)


def compared_splits(comparison: str) -> dict[str, list[str] | str]:
    """Return what a comparison with TR 26.847 reads; the names are options of compare_splits."""
    models = [comparison] if comparison in RANKED else list(TABULATED)
    return {
        "splits": [f"results/splits/{model}.csv" for model in models],
        "reference": f"config/tr26847/{comparison}.csv",
    }


def comparisons(settings: Settings) -> list[str]:
    """Return the pages that set TR 26.847's splits beside ours; none unless asked for."""
    if not settings.config["tr26847"]:
        return []
    pages = [f"results/splits/tr26847/{name}.html" for name in (*RANKED, "splitability", "photos")]
    return pages + [f"results/splits/{model}.html" for model in TABULATED]
