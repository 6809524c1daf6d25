"""What all contestants share: the sizes of the model, and the data."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Settings:
    """Sizes of the model and of the batches.

    One vocabulary and one matrix for both languages and the readout, sinusoidal positions, normalisation before each
    sub-layer and behind each stack, relu, biases everywhere but in the readout: what each contestant builds by itself.

    Attributes:
        vocabulary: int, ids of both languages, padding (0) included.
        units, layers, heads, feed_forward: int; layers of the encoder, and of the decoder.
        dropout: float in [0, 1).
        learning_rate: float, of Adam.
        batch: int, pairs in a batch: of equal ones, and of shuffled ones.
        length: int, places of source and target in an equal batch.
        boundaries: tuple of int, our buckets; longer pairs are left out for all.
        steps: int, batches in a round.
        threads: int.
    """

    vocabulary: int = 8000
    units: int = 128
    layers: int = 4
    heads: int = 4
    feed_forward: int = 256
    dropout: float = 0.1
    learning_rate: float = 1e-3
    batch: int = 64
    length: int = 24
    boundaries: tuple = (12, 15, 18, 24, 50)
    steps: int = 12
    threads: int = 1
