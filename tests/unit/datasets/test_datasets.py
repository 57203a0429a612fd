"""A dataset is looked at, item by item, before anything runs on it."""

import contextlib
import json
import random

import cv2
import numpy as np
import pytest
from PIL import Image

from nnrd import UserError
from nnrd.core.files import checksum, write_record
from nnrd.datasets import audio, images
from nnrd.datasets import index as datasets
from nnrd.datasets.formats import REGISTRY
from nnrd.datasets.index import EVERYTHING, Draw, Item


def write(folder, images, sizes=None):
    for name in images:
        if name.endswith((".png", ".jpg")):
            cv2.imwrite(str(folder / name), np.zeros((20, 30, 3), np.uint8))
    rows = [
        {"id": i, "file_name": name, "width": (sizes or {}).get(name, 30), "height": 20}
        for i, name in enumerate(images, 1)
    ]
    (folder / "gt.json").write_text(
        json.dumps({"images": rows, "annotations": [], "categories": [{"id": 7, "name": "x"}]})
    )
    return folder / "gt.json"


def coco(annotations, folder, draw=EVERYTHING):
    return REGISTRY.get("coco")().index(annotations, folder, draw)


def test_items_are_ordered_by_name(tmp_path):
    annotations = write(tmp_path, ["b.png", "a.jpg", "c.png"])
    found = coco(annotations, tmp_path)
    assert [item.name for item in found.items] == ["a", "b", "c"]
    facts = {"image_id": 2, "width": 30, "height": 20, "objects": []}
    path = tmp_path / "a.jpg"
    assert found.items[0] == Item("a", str(path), checksum(path), facts)
    assert found.categories == {7: "x"}
    drawn = [item.name for item in coco(annotations, tmp_path, Draw(2)).items]
    (left,) = {"a", "b", "c"} - set(drawn)
    next(tmp_path.glob(f"{left}.*")).unlink()  # what is not drawn is not looked at
    assert [item.name for item in coco(annotations, tmp_path, Draw(2)).items] == drawn


def test_shards_cover_the_items_once(tmp_path):
    found = coco(write(tmp_path, [f"{i}.png" for i in range(7)]), tmp_path)
    write_record(tmp_path / "i.json", found.as_record())
    read = datasets.read(tmp_path / "i.json")
    assert read == found
    shards = [read.shard(f"{i}-of-3") for i in range(3)]
    assert [len(shard) for shard in shards] == [3, 2, 2]
    everything = [item for shard in shards for item in shard]
    assert sorted(everything, key=lambda item: item.name) == found.items


def cut_short(image):
    noise = np.random.default_rng(0).integers(0, 255, (20, 30, 3), np.uint8)
    cv2.imwrite(str(image), noise)
    image.write_bytes(image.read_bytes()[:-200])


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda f: write(f, []), "the dataset has no items"),
        (lambda f: (write(f, ["a.png"]), (f / "a.png").unlink()), r"a\.png: no such image"),
        (lambda f: (write(f, ["a.png"]), (f / "a.png").write_text("x")), r"a\.png: not an image"),
        (lambda f: (write(f, ["a.png"]), (f / "a.png").write_bytes(b"")), r"a\.png: not an image"),
        (lambda f: cut_short(write(f, ["a.jpg"]).parent / "a.jpg"), r"a\.jpg: not an image.*trunc"),
        (lambda f: write(f, ["a.png"], {"a.png": 31}), r"30x20 pixels, .*gt\.json says 31x20"),
        (lambda f: write(f, ["a.png", "a.jpg"]), "two items are called a"),
        (lambda f: (f / "gt.json").write_text("{"), r"gt\.json: not JSON"),
        (lambda f: (f / "gt.json").write_text("[]"), "not a COCO dataset: no list 'images'"),
        (lambda f: (f / "gt.json").write_text('{"images": 3}'), "not a COCO dataset"),
        (lambda f: None, r"gt\.json: no such file"),
    ],
)
def test_bad_input_is_one_line(tmp_path, spoil, said):
    spoil(tmp_path)
    with pytest.raises(UserError, match=said) as caught:
        coco(tmp_path / "gt.json", tmp_path)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("read", [images.read_item, audio.read_item])
def test_an_item_whose_file_was_altered_is_refused(tmp_path, read):
    path = tmp_path / "a.png"
    cv2.imwrite(str(path), np.zeros((20, 30, 3), np.uint8))
    item = Item("a", str(path), checksum(path))
    path.write_bytes(path.read_bytes() + b"\0")
    with pytest.raises(UserError, match=r"a\.png: damaged"):
        read(item)
    path.unlink()
    with pytest.raises(UserError, match=r"a\.png: no such file"):
        read(item)


@pytest.mark.filterwarnings("ignore")  # Pillow says more of some files
@pytest.mark.parametrize("suffix", ["png", "jpg", "bmp", "tiff", "ppm"])
def test_a_damaged_image_is_one_line(tmp_path, suffix):
    chance, path = random.Random(0), tmp_path / f"a.{suffix}"
    cv2.imwrite(str(path), np.random.default_rng(0).integers(0, 255, (20, 30, 3), np.uint8))
    whole = path.read_bytes()
    for _ in range(200):
        damaged = bytearray(whole[: chance.choice([len(whole), chance.randrange(len(whole))])])
        for place in (chance.randrange(60), chance.randrange(len(whole))):
            if place < len(damaged):
                damaged[place] = chance.randrange(256)
        path.write_bytes(damaged)
        with contextlib.suppress(UserError):
            assert images.read_rgb(path).dtype == np.uint8


RAMP = np.linspace(0, 65535, 600).reshape(20, 30).astype(np.uint16)
GREY = np.arange(256, dtype=np.uint8).repeat(3).reshape(24, 32)


def saved(path, array, mode=None):
    image = Image.fromarray(array)
    (image if mode is None else image.convert(mode)).save(path)
    return path


@pytest.mark.parametrize("suffix", ["png", "tiff", "pgm"])
def test_16_bits_are_scaled_not_clipped(tmp_path, suffix):
    path = tmp_path / f"a.{suffix}"
    cv2.imwrite(str(path), RAMP)
    found = images.read_rgb(path)
    assert found.shape == (20, 30, 3) and found.dtype == np.uint8
    assert (found == np.rint(RAMP / 257).astype(np.uint8)[:, :, None]).all()
    assert found.mean() == pytest.approx(127.5, abs=0.5)
    cv2.imwrite(str(path), GREY.astype(np.uint16) * 257)
    assert (images.read_rgb(path) == GREY[:, :, None]).all()


@pytest.mark.parametrize("mode", ["1", "L", "P", "RGB", "RGBA", "LA", "CMYK", "YCbCr"])
def test_modes_that_become_rgb(tmp_path, mode):
    """Grey stays grey whatever it is stored as; alpha changes no colour."""
    grey = np.where(GREY > 127, 255, 0).astype(np.uint8) if mode == "1" else GREY
    suffix = "jpg" if mode in ("CMYK", "YCbCr") else "png"
    found = images.read_rgb(saved(tmp_path / f"a.{suffix}", grey, mode))
    assert found.shape == (24, 32, 3) and found.dtype == np.uint8
    assert np.abs(found.astype(int) - grey[:, :, None]).max() <= (6 if suffix == "jpg" else 0)


def test_transparent_pixels_keep_their_colour(tmp_path):
    colours = np.random.default_rng(0).integers(0, 255, (24, 32, 4), np.uint8)
    found = images.read_rgb(saved(tmp_path / "a.png", colours))
    assert (found == colours[:, :, :3]).all()


@pytest.mark.parametrize(
    ("array", "said"),
    [(RAMP / 65535, "an image of floats"), (RAMP.astype(np.int32), "an image of 32-bit samples")],
)
def test_samples_of_no_known_range_are_refused(tmp_path, array, said):
    path = saved(tmp_path / "a.tiff", array.astype(np.float32) if array.max() <= 1 else array)
    with pytest.raises(UserError, match=rf"a\.tiff: {said}.*save it in 8 bits"):
        images.read_rgb(path)


def cmyk(path):
    """Write a JPEG of inks; Adobe's are stored upside down, and Pillow says so in a marker."""
    Image.new("CMYK", (4, 2), (0, 255, 255, 0)).save(path, "JPEG", quality=100)


def turned(path):
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned by a quarter
    Image.new("RGB", (4, 2), "red").save(path, "JPEG", quality=100, exif=exif)


def see_through(path):
    """Write a palette whose every colour has its own transparency."""
    image = Image.fromarray(np.zeros((2, 4), np.uint8), "P")
    image.putpalette([255, 0, 0] * 256)
    image.save(path, "PNG", transparency=bytes(range(256)))


def several(form, **options):
    def make(path):
        first, *rest = (Image.new("RGB", (4, 2), colour) for colour in ("red", "green", "blue"))
        first.save(path, form, save_all=True, append_images=rest, **options)

    return make


RED = {
    "CMYK in a JPEG": cmyk,
    "turned by EXIF": turned,
    "a palette with transparency": see_through,
    "an animated GIF": several("GIF"),
    "an animated PNG": several("PNG"),
    "an animated WebP": several("WEBP", lossless=True),
    "a TIFF of pages": several("TIFF"),
    "16 bits": lambda p: cv2.imwrite(str(p), np.full((2, 4, 3), (0, 0, 65535), np.uint16)),
}


@pytest.mark.fault("hostile: an image")
@pytest.mark.filterwarnings("ignore:Palette images")
@pytest.mark.parametrize("name", RED)
def test_an_odd_image_is_two_rows_of_red(tmp_path, name):
    """Of several pictures it is the first; EXIF turns none, as COCO's annotations mean it."""
    RED[name](tmp_path / "a.png")
    found = images.read_rgb(tmp_path / "a.png")
    assert found.shape == (2, 4, 3) and found.dtype == np.uint8
    assert np.abs(found.astype(int) - [255, 0, 0]).max() <= 6


def test_real_images_are_read_as_before(real_data):
    """Photos are RGB or grey JPEGs, masks are palettes: Pillow's own conversion is right."""
    files = [*real_data.glob("*/images/*.jpg"), *real_data.glob("*/SegmentationClass/*.png")]
    assert len(files) == 64
    for file in files:
        with Image.open(file) as image:
            assert (images.read_rgb(file) == np.asarray(image.convert("RGB"))).all()


def labelled(folder, count=3):
    rng = np.random.default_rng(0)
    for number in range(count):
        image = rng.integers(0, 255, (32, 32, 3), np.uint8)
        cv2.imwrite(str(folder / f"cifar100_{number:02}_{number * 7}.png"), image)


def test_images_are_drawn_over_their_classes(tmp_path):
    image = np.zeros((8, 8, 3), np.uint8)
    for number in range(9):
        cv2.imwrite(str(tmp_path / f"set_{number}_{number // 3}.png"), image)
    found = REGISTRY.get("labelled_images")().index(tmp_path / "set", tmp_path, Draw(3))
    assert [item.facts["label"] for item in found.items] == [0, 1, 2]


def test_coco_is_drawn_over_the_category_of_the_largest_object(tmp_path):
    annotations = write(tmp_path, [f"{i}.png" for i in range(6)])
    dataset = json.loads(annotations.read_text())
    dataset["categories"] = [{"id": 7, "name": "x"}, {"id": 8, "name": "y"}]
    dataset["annotations"] = [
        {"image_id": number, "category_id": category, "bbox": [0, 0, side, side]}
        for number in range(1, 7)
        for category, side in ((7, 9), (8, 12 if number > 4 else 3))
    ]
    annotations.write_text(json.dumps(dataset))
    found = coco(annotations, tmp_path, Draw(4)).items
    largest = [max(i.facts["objects"], key=lambda row: row["area"])["category_id"] for i in found]
    assert sorted(largest) == [7, 7, 8, 8]


def test_labelled_images(tmp_path):
    labelled(tmp_path)
    index = REGISTRY.get("labelled_images")().index
    found = index(tmp_path / "cifar100", tmp_path).items
    assert [item.facts["label"] for item in found] == [0, 7, 14]
    assert [item.name for item in found] == ["cifar100_00_0", "cifar100_01_7", "cifar100_02_14"]
    assert len(index(tmp_path / "cifar100", tmp_path, Draw(2)).items) == 2
    with pytest.raises(UserError, match="no images called mnist_NUMBER"):
        index(tmp_path / "mnist", tmp_path)
    (tmp_path / "cifar100_09_1.png").write_bytes(b"x")
    with pytest.raises(UserError, match="not an image"):
        index(tmp_path / "cifar100", tmp_path)
