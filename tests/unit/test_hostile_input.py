"""Hostile input, by name, and the test that shows what comes of it: a clear line or a right result.

``pytest -m fault`` runs all of them, and those of other faults; `faults` counts what was survived.
"""

import ast
from functools import cache
from pathlib import Path

import pytest

TESTS = Path(__file__).resolve().parents[1]
ARCHIVES = "unit/assets/test_archives.py"
MALFORMED = "unit/stages/test_malformed.py"
STORED = "unit/split/test_stored.py"
SPLIT = "unit/split/test_split.py"
TENSORS = "unit/tensor_files/test_hostile.py"
IMAGES = "unit/datasets/test_datasets.py"
SPEECH = "unit/datasets/test_speech.py"
PLUG_INS = "unit/package/test_bad_plug_ins.py"

# What is given: (the file of the test, its name).
HOSTILE = {
    # Archives: zip and wheel, tar by gzip, bzip2 and xz, Debian packages.
    "archive: .., absolute paths, links, devices": (ARCHIVES, "test_hostile_archive_is_refused"),
    "archive: bombs by ratio, by count, by a header": (ARCHIVES, "test_bomb_is_refused"),
    "archive: a bomb in a Debian package": (ARCHIVES, "test_deb_bomb_is_refused"),
    "archive: a link in a Debian package": (ARCHIVES, "test_deb_link_is_refused"),
    "archive: a name twice": (ARCHIVES, "test_of_members_of_a_name_the_last_counts"),
    "archive: cut short": (ARCHIVES, "test_truncated_archive_is_one_line"),
    "archive: bytes changed": (
        ARCHIVES,
        "test_altered_archive_is_refused_or_gives_the_right_bytes",
    ),
    "archive: none": (ARCHIVES, "test_what_is_no_archive_is_refused"),
    "asset: a server that lies": (
        "unit/assets/test_hostile_servers.py",
        "test_a_hostile_server_ends_in_one_line_and_leaves_nothing",
    ),
    # Files of tensors.
    "weights: a pickle, whose payload does not run": (
        MALFORMED,
        "test_a_program_refuses_in_one_line",
    ),
    "tensors: .npz of objects, .safetensors that lie": (
        TENSORS,
        "test_files_that_lie_are_one_line",
    ),
    "tensors: bytes changed": (TENSORS, "test_a_damaged_npz_is_a_line_or_arrays"),
    "bitstream: bytes changed, sizes that lie": (
        "unit/codecs/test_fuzz.py",
        "test_a_few_hundred_mutated_streams",
    ),
    # ONNX.
    "ONNX: external data outside its folder": (STORED, "test_external_data_that_is_refused"),
    "ONNX: external data in bodies and functions": (
        STORED,
        "test_external_data_anywhere_in_a_model",
    ),
    "ONNX: cycles": (SPLIT, "test_models_that_cannot_be_split_are_refused"),
    "ONNX: 2^63 elements, negative sides, endless functions": (
        STORED,
        "test_a_model_that_cannot_be_right",
    ),
    "ONNX: tensors that nothing holds": (
        STORED,
        "test_sizes_that_nothing_holds_are_refused_measured_too",
    ),
    "ONNX: ten bodies within bodies": (
        STORED,
        "test_a_model_of_bodies_within_bodies_is_split_exactly",
    ),
    "ONNX: 200 bodies within bodies": (
        STORED,
        "test_a_model_of_200_bodies_within_bodies_is_no_model",
    ),
    "ONNX: bytes changed": (STORED, "test_a_damaged_file_is_a_line_or_a_model"),
    # Configuration, sheets, names.
    "YAML: tags, aliases, depth, keys": (
        "unit/study/test_own_files.py",
        "test_what_no_configuration_may_be",
    ),
    "YAML: tags on the command line": (
        "workflow/test_bad_input.py",
        "test_tags_of_yaml_run_nothing",
    ),
    "ONNX: a file given by hand": (
        "unit/stages/test_infer_source.py",
        "test_a_model_that_cannot_be_right_is_refused_before_it_is_opened",
    ),
    "YAML: an alias bomb on the command line": (
        "workflow/test_bad_input.py",
        "test_aliases_of_yaml_that_repeat_too_much",
    ),
    "names: those that leave the results": (
        "unit/study/test_names.py",
        "test_a_bad_name_passes_neither",
    ),
    "names: those that break a shell line": (
        "workflow/test_names.py",
        "test_odd_names_run_nothing_and_work",
    ),
    "names: of files in a sheet": ("unit/assets/test_assets.py", "test_bad_row_is_named"),
    "names: of items": (MALFORMED, "test_a_program_refuses_in_one_line"),
    # Images and recordings.
    "image: gigapixels, text that unpacks, EPS": (MALFORMED, "test_a_program_refuses_in_one_line"),
    "image: CMYK, EXIF, palette, animated, 16 bits": (
        IMAGES,
        "test_an_odd_image_is_two_rows_of_red",
    ),
    "image: bytes changed": (IMAGES, "test_a_damaged_image_is_one_line"),
    "audio: a header that lies, 0 samples": (
        SPEECH,
        "test_recordings_that_are_not_what_their_header_says",
    ),
    "audio: NaN and infinity": (SPEECH, "test_samples_that_are_not_finite"),
    "audio: 96 kHz, 8 channels": (SPEECH, "test_read_resamples_and_mixes"),
    # Plug-ins.
    "plug-in: raises, ends the program, gives another type": (
        PLUG_INS,
        "test_the_last_line_names_the_plug_in",
    ),
    "plug-in: cannot be imported": (PLUG_INS, "test_one_that_does_not_load_is_one_line"),
    "plug-in: fails while a run is planned": (
        PLUG_INS,
        "test_one_that_fails_while_a_run_is_planned_is_one_line",
    ),
    "plug-in: prints": (PLUG_INS, "test_what_is_printed_while_loading_is_no_output"),
    "plug-in: hangs": (PLUG_INS, "test_an_interrupt_says_where_it_hung"),
    "plug-in: raises and hangs within a run": (
        "workflow/test_bad_plug_in.py",
        "test_a_run_goes_on_around_a_plug_in_that_raises_or_hangs",
    ),
}


@cache
def functions_in(file: str) -> set[str]:
    tree = ast.parse((TESTS / file).read_text())
    return {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}


@pytest.mark.parametrize("name", HOSTILE)
def test_what_the_list_names_is_tested(name):
    file, test = HOSTILE[name]
    assert test in functions_in(file)
