"""A trained reader of intents: labels, confidences, and where it looks."""

import json
from pathlib import Path

import keras
import numpy as np

import keras_seq.models  # noqa: F401  a file names its model's class, which has to be known
from keras_seq.recipes.text_inputs import TextInputs
from keras_seq.training import SampleLog


class Reader:
    """A trained model with its vocabularies.

    Args:
        model: `keras.Model` to logits.
        texts: `TextInputs`.
        labels: list of str.
    """

    def __init__(self, model, texts, labels):
        self.model, self.texts, self.labels = model, texts, labels

    @classmethod
    def load(cls, run_dir):
        """The reader of a finished run directory."""
        labels = json.loads(Path(run_dir, "labels.json").read_text(encoding="utf-8"))
        model = keras.models.load_model(Path(run_dir, "model.keras"), compile=False)
        return cls(model, TextInputs.load(run_dir), labels)

    def probabilities(self, texts):
        """float32 `(texts, labels)`.

        Args:
            texts: list of str, each of 1 to the limit of tokens.

        Raises:
            ValueError: if a text is empty or too long.
        """
        found = np.zeros((len(texts), len(self.labels)), "float32")
        for text in texts:
            self.texts.check(text)
        order = np.argsort([len(text) for text in texts], kind="stable")  # of like length together
        for begin in range(0, len(order), 256):
            rows = order[begin : begin + 256]
            found[rows] = _probabilities(self.model(self.texts.padded([texts[row] for row in rows]), training=False))
        return found

    def read(self, texts):
        """Labels, and the probability that the model gives to each: list of str, float32 `(texts,)`."""
        found = self.probabilities(texts)
        return [self.labels[best] for best in found.argmax(axis=1)], found.max(axis=1)


def _probabilities(logits):
    """Of one logit those of both labels, as an exported model gives them."""
    if logits.shape[-1] == 1:
        second = keras.ops.sigmoid(logits)
        return keras.ops.convert_to_numpy(keras.ops.concatenate([1 - second, second], axis=-1))
    return keras.ops.convert_to_numpy(keras.ops.softmax(logits))


def draw_attention(path, reader, texts, title=None):
    """Draws the weights of the attention pooling on some texts, with the labels that they get.

    Args:
        path: file to write, PNG.
        reader: `Reader` of a model with attention pooling.
        texts: list of str.
        title: str.

    Returns:
        The path.
    """
    from keras_seq.plots.weighted_words import weighted_words

    drawn = []
    for text, label, sure in zip(texts, *reader.read(texts), strict=True):
        weights = keras.ops.convert_to_numpy(reader.model.attention(reader.texts.padded([text]))["pooling"])[0]
        drawn.append((reader.texts.tokens(text), weights, f"{label} ({sure:.2f})"))
    return weighted_words(path, drawn, title)


def sample_log(run_dir, reader, texts, every=4):
    """What the reader makes of some texts, every few epochs, for TensorBoard: labels, and a picture of its attention.

    Args:
        run_dir: path of the run directory.
        reader: `Reader` of the model in training.
        texts: list of str.
        every: int, epochs between.

    Returns:
        `keras_seq.training.SampleLog`.
    """

    def sample(model):
        found = zip(texts, *reader.read(texts), strict=True)
        written = {"labels": "\n\n".join(f"{text}: **{label}** ({sure:.2f})" for text, label, sure in found)}
        if "attention" in model.get_config().get("pooling", ()):
            written["attention"] = draw_attention(Path(run_dir, "attention.png"), reader, texts)
        return written

    return SampleLog(run_dir, sample, every)
