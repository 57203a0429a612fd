"""What the POT-shaped script needs: a network of DeepSpeech's shape, and recordings it understands.

A letter is a tone of its own, a space is noise, and between them is silence. The network, which is
narrow, learns it in seconds; so what a quantised one gets wrong is to be seen in its words.
"""

import numpy as np
import soundfile
import speech_script
import torch
from torch import nn

from nnrd.models.deepspeech.network import DeepSpeech
from nnrd.quantisation import packages

WIDTH = 32
STATES = ("previous_state_c", "previous_state_h")
OUTPUTS = ("logits", "new_state_c", "new_state_h")
LETTERS = "abcdefgh"
RATE, SOUND, PAUSE = 16000, 1920, 1280  # Hz, samples
NOISE = 0.05


def spoken(text, rng):
    """Return the recording of a text, and the label of each of its samples."""
    waves, labels = [], []
    for letter in text:
        at = np.arange(SOUND) / RATE
        pitch = 300 * 1.35 ** LETTERS.find(letter)
        tone = 0.3 * np.sin(2 * np.pi * pitch * at) if letter != " " else rng.normal(0, 0.3, SOUND)
        waves += [tone, np.zeros(PAUSE)]
        number = speech_script.ALPHABET.index(letter)
        labels += [np.full(SOUND, number), np.full(PAUSE, speech_script.BLANK)]
    wave = np.concatenate(waves)
    return (wave + rng.normal(0, NOISE, len(wave))).astype(np.float32), np.concatenate(labels)


def texts(count, rng):
    """Return texts of four words of three letters."""
    words = rng.choice(list(LETTERS), (count, 4, 3))
    return [" ".join("".join(word) for word in text) for text in words]


def trained(steps=200):
    """Return a network that has heard 24 recordings."""
    rng = np.random.default_rng(13)
    torch.manual_seed(13)
    frames, truth = zip(*(_frames(*spoken(text, rng)) for text in texts(24, rng)), strict=True)
    heard, said = torch.tensor(np.stack(frames, 1)), torch.tensor(np.stack(truth, 1))
    network = DeepSpeech(WIDTH)
    network.mean[:], network.deviation[:] = heard.mean((0, 1, 2)), heard.std((0, 1, 2))
    optimiser = torch.optim.Adam(network.parameters(), 0.01)
    for _ in range(steps):
        optimiser.zero_grad()
        scores, _ = network.scores(heard, None)
        nn.functional.cross_entropy(scores.flatten(0, 1), said.flatten()).backward()
        optimiser.step()
    return network.eval()


def _frames(wave, labels):
    frames = speech_script.packages(wave).reshape(-1, 19, 26)
    middles = np.arange(len(frames)) * speech_script.HOP + speech_script.WINDOW // 2
    return frames, np.pad(labels, (0, 10 * RATE), constant_values=speech_script.BLANK)[middles]


def write_onnx(network, file):
    """Write the network as an ONNX file."""
    state = torch.zeros(1, WIDTH)
    torch.onnx.export(
        network,
        (torch.zeros(1, 16, 19, 26), state, state),
        str(file),
        dynamo=False,
        opset_version=17,
        input_names=["input_node", *STATES],
        output_names=list(OUTPUTS),
    )


def convert(file):
    """Write an ONNX file as OpenVINO's .xml, float32, beside it."""
    openvino = packages.load("openvino")
    model = openvino.Core().read_model(str(file))
    openvino.save_model(model, file.with_suffix(".xml"), compress_to_fp16=False)


def recordings(count, seed):
    """Return recordings with their texts."""
    rng = np.random.default_rng(seed)
    return [(spoken(text, rng)[0], text) for text in texts(count, rng)]


def write_recordings(folder, made):
    """Write recordings with their texts in LibriSpeech's folders."""
    chapter = folder / "84" / "121123"
    chapter.mkdir(parents=True)
    lines = []
    for number, (wave, text) in enumerate(made):
        name = f"84-121123-{number:04d}"
        soundfile.write(chapter / f"{name}.flac", wave, RATE)
        lines.append(f"{name} {text.upper()}\n")
    (chapter / "84-121123.trans.txt").write_text("".join(lines))
