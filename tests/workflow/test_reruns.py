"""An edit re-runs the jobs whose results it can change, and no others: proved by dry runs."""

import copy

import pytest

from .conftest import CONFIG

# Behind records: the tables of both studies or of one, and what is made of them.
END = {"join_tables": 2, "write_provenance": 1}
FEATURES_END = {"tabulate_points": 1, "tabulate_latency": 1, "plot_points": 8, **END}
WEIGHTS_END = {"tabulate_points": 1, "plot_points": 2, **END}
BOTH_END = {"tabulate_points": 2, "tabulate_latency": 1, "plot_points": 9, **END}
LATENCY = {"tabulate_latency": 1, "plot_points": 1, "write_provenance": 1}
SINK = {"infer_features": 8, "score_point": 4, "draw_overlays": 1, **FEATURES_END}
WHOLE = {"infer_anchor": 2, "infer_files": 2, "extract_outputs": 2}
FROM_SOURCE = {"extract_features": 4, "encode_tensors": 8, **SINK}
# Weights that arrived are decoded again for a model that runs again: they are not kept.
ALL_WEIGHTS = {"decode_weights": 2, "infer_weights": 4}
# What follows when one codec's points of both studies are made anew.
NNC = {
    "encode_tensors": 5,
    "infer_features": 4,
    "decode_weights": 1,
    "infer_weights": 2,
    "score_point": 3,
    "draw_overlays": 1,
    **BOTH_END,
}
L = "scripts/nnrd"
SSDLITE = f"{L}/models/ssdlite300_mobilenet_v2"
CLASSIFIER = f"{L}/models/torchvision_classifiers"
DOCSTRING = '"""What every program in scripts/ and every subcommand'

# What is edited, and exactly the jobs that run again.
EDITS = {
    "a docstring of core/program.py": (
        f"{L}/core/program.py",
        DOCSTRING,
        DOCSTRING + " at all",
        {},
    ),
    "a message in the container": (
        f"{L}/codecs/container.py",
        "are announced, the bytes end before",
        "are announced",
        {},
    ),
    "the progress bar": (f"{L}/core/progress.py", "\\r\\x1b[K", "\\r\\x1b[2K", {}),
    "a licence in the sheet": ("config/assets.tsv", "\tMIT\n", "\tMIT License\n", {}),
    "a model's number of values": ("config/models.tsv", "\t4475504\n", "\t4475505\n", {}),
    "how long bytes take": (
        f"{L}/core/links.py",
        "size_bytes * 8e3 / rate",
        "size_bytes * 8000 / rate",
        LATENCY,
    ),
    "how the fastest is found": (
        f"{L}/analysis/advice.py",
        "return math.inf if apart <= 0",
        "return math.inf if not apart > 0",
        LATENCY,
    ),
    "a comment in a stage": (
        f"{L}/stages/encode_tensors.py",
        "    codec = codecs",
        "    # x\n    codec = codecs",
        {},
    ),
    "help of an option": (f"{L}/stages/arguments.py", "the codec's name", "name of the codec", {}),
    "the codec": (
        f"{L}/codecs/nnc.py",
        "codes_integers = True",
        "codes_integers = bool(1)",
        NNC,
    ),
    "the coder": (f"{L}/nnc/layers.py", "if head.is_float:", "if bool(head.is_float):", NNC),
    "the coder's C++": (f"{L}/nnc/native/uniform.hpp", "#pragma once", "#pragma once\n", NNC),
    "another codec": (f"{L}/codecs/bzip2.py", "def pack(", "X = 1\n\n    def pack(", {}),
    "the container": (
        f"{L}/codecs/container.py",
        "MAGIC + bytes([version,",
        "bytes(MAGIC) + bytes([version,",
        {
            "encode_tensors": 10,
            "infer_features": 8,
            **ALL_WEIGHTS,
            "score_point": 6,
            "draw_overlays": 1,
            **BOTH_END,
        },
    ),
    "how weights are decoded": (
        f"{L}/stages/decode_weights.py",
        '(source,) = read_record(args.source)["rows"]',
        'source = read_record(args.source)["rows"][0]',
        {**ALL_WEIGHTS, "score_point": 2, **WEIGHTS_END},
    ),
    "what stands before the detector": (
        f"{SSDLITE}/pipeline.py",
        "np.float32(127.5)",
        "np.float32(128)",
        {**WHOLE, **FROM_SOURCE, "score_point": 6},
    ),
    "what stands behind the detector": (
        f"{SSDLITE}/pipeline.py",
        "SCORE_THRESHOLD, IOU_THRESHOLD = 0.01",
        "SCORE_THRESHOLD, IOU_THRESHOLD = 0.02",
        {"infer_anchor": 2, "infer_files": 2, **SINK, "score_point": 6},
    ),
    "what stands behind the classifier": (
        f"{CLASSIFIER}/pipeline.py",
        "[:TOP_K].tolist()",
        "[:TOP_K].tolist()[:]",
        {"infer_anchor": 2, **ALL_WEIGHTS, "score_point": 3, **WEIGHTS_END},
    ),
    "how the detector is built": (
        f"{SSDLITE}/network.py",
        "FIRST_MAP_BLOCK = 13",
        "FIRST_MAP_BLOCK = 12 + 1",
        {"convert_model": 1, "split_model": 2, **WHOLE, **FROM_SOURCE, "score_point": 6},
    ),
    "how the classifier is exported, which nobody asked for": (
        f"{CLASSIFIER}/network.py",
        "TOLERANCE = 1e-4",
        "TOLERANCE = 1e-3",
        {"infer_anchor": 2, **ALL_WEIGHTS, "score_point": 3, **WEIGHTS_END},
    ),
    "how splits are found": (
        f"{L}/split/plan.py",
        "shift = where == ",
        "shift = bool() or where == ",
        {"split_model": 2, **FROM_SOURCE},
    ),
    "how far outputs are": (
        f"{L}/metrics/outputs.py",
        "np.sum((a - b) ** 2)",
        "np.sum(np.square(a - b))",
        SINK,
    ),
    "a metric": (
        f"{L}/metrics/detection.py",
        "for step in range(10)",
        "for step in range(9 + 1)",
        {"score_point": 6, **FEATURES_END},
    ),
    "how files are sent": (
        f"{L}/datasets/file_codecs.py",
        "        return loaded\n",
        "        return bytes(loaded)\n",
        {"infer_files": 2, "score_point": 1, **FEATURES_END},
    ),
    "another file codec": (
        f"{L}/datasets/file_codecs.py",
        'subsampling="4:2:0"',
        'subsampling="4:4:4"',
        {},
    ),
    "the task of the other study": (
        f"{L}/tasks/classification.py",
        "100.0 * (classes[0] == label)",
        "100 * (classes[0] == label)",
        {"score_point": 3, **WEIGHTS_END},
    ),
    "what a metric is called": (
        f"{L}/tasks/detection.py",
        '"AP against ground truth"',
        '"AP (ground truth)"',
        {"score_point": 6, **FEATURES_END},
    ),
    "a plot": (
        f"{L}/report/plots/codec_bars.py",
        'yscale="log"',
        'yscale="linear"',
        {"plot_points": 1, "write_provenance": 1},
    ),
    "the style of all plots": (
        f"{L}/report/plots/style.py",
        "dpi=150",
        "dpi=200",
        {"plot_points": 9, "draw_overlays": 1, "write_provenance": 1},
    ),
    "a dataset's format": (
        f"{L}/datasets/formats/coco.py",
        'key=lambda image: image["file_name"]',
        'key=lambda image: str(image["file_name"])',
        {"index_dataset": 1, **WHOLE, **FROM_SOURCE, "score_point": 6},
    ),
    "how images are read": (
        f"{L}/datasets/images.py",
        'image.convert("RGB")',
        'image.convert(mode="RGB")',
        {
            **{"index_dataset": 2, "infer_anchor": 4, "infer_files": 2, "extract_outputs": 2},
            **ALL_WEIGHTS,
            **{**FROM_SOURCE, **BOTH_END, "score_point": 9},
        },
    ),
    "inputs that are made to measure by": (
        f"{SSDLITE}/pipeline.py",
        "return made.photo(seed)",
        "return made.photo(seed + 1)",
        {},
    ),
    "the fetching of files": (
        f"{L}/assets/network.py",
        "attempts: int = 4",
        "attempts: int = 5",
        {},
    ),
}


def test_nothing_changed(finished):
    assert finished.plan().rules == {}


@pytest.mark.parametrize("name", EDITS)
def test_edit(checkout, name):
    file, old, new, expected = EDITS[name]
    checkout.edit(file, old, new)
    assert checkout.plan().rules == expected


def changed(study: str, **keys: object) -> dict:
    config = copy.deepcopy(CONFIG)
    config["studies"][study] |= keys
    return config


CHANGES = {
    "a QP": (
        changed("small", codecs=["raw", {"nnc": {"qp": [-10, 0]}}]),
        {"encode_tensors": 4, "infer_features": 4, "score_point": 2, **FEATURES_END},
    ),
    "a split": (
        changed("small", splits=[50, 84, 21]),
        {
            **{"split_model": 1, "extract_features": 2, "encode_tensors": 4},
            **{"infer_features": 4, "score_point": 2, **FEATURES_END},
        },
    ),
    "a file codec": (
        changed("small", file_codecs=["stored", {"jpeg": {"quality": 50}}]),
        {"infer_files": 2, "score_point": 1, **FEATURES_END},
    ),
    "what runs part I": (
        changed("small", providers={"part1": "cpu"}),
        {**FROM_SOURCE, "score_point": 4},
    ),
    "what runs part II": (
        changed("small", providers={"part2": "cpu"}),
        {**WHOLE, **SINK, "score_point": 6},
    ),
    "a rate of the link": (changed("small", latency={"rates": ["50Mbit"]}), LATENCY),
    "a QP of the weights": (
        changed("weights", codecs=["float16", {"nnc": {"qp": [-20, -10], "use_dq": True}}]),
        {
            **{"encode_tensors": 1, "decode_weights": 1, "infer_weights": 2, "score_point": 1},
            **WEIGHTS_END,
        },
    ),
    "fewer items, then all is made beside": (
        changed("weights", items=2),
        {
            **{"index_dataset": 1, "infer_anchor": 1, "score_point": 3},
            **{"decode_weights": 2, "infer_weights": 2},
            **WEIGHTS_END,
        },
    ),
}


@pytest.mark.parametrize("name", CHANGES)
def test_change_of_the_configuration(checkout, name):
    config, expected = CHANGES[name]
    checkout.configure(config)
    assert checkout.plan().rules == expected


def test_a_new_point_is_only_its_own_files(checkout):
    checkout.configure(CHANGES["a QP"][0])
    made = [output for output in checkout.plan().outputs if "/features/" in output]
    assert made and all("/nnc/qp=0/" in output for output in made)


def test_another_dataset_encodes_nothing(checkout):
    config = copy.deepcopy(CONFIG)
    other = config["studies"]["weights"] | {"dataset": "cifar100_images", "items": 2}
    config["studies"]["other"] = other
    config["run"].append("other")
    checkout.configure(config)
    rules = checkout.plan().rules
    assert "encode_tensors" not in rules and "extract_weights" not in rules
    assert rules["infer_weights"] == 2 and rules["infer_anchor"] == 1


def test_isolated_times_are_measured_again(checkout):
    rules = checkout.plan("--config", "isolated=true").rules
    assert rules["encode_tensors"] == 10 and "convert_model" not in rules
    assert "extract_weights" not in rules
