"""A trained encoder-decoder with its tokenizers: what it writes, how well, and where it looks."""

import functools
import json
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf
import tqdm

import keras_seq.models  # noqa: F401  a file names its model's class, which has to be known
from keras_seq import decoding, sampling, text_scores
from keras_seq.beam import beam, n_best
from keras_seq.data.tokenizer import Tokenizer

_BATCH = 64
_SCORED_TOKENS = 4096


class PairWriter:
    """Writes a text for a text.

    Args:
        model: `Seq2Seq` or `Transformer`.
        source: `Tokenizer` of what is read.
        target: `Tokenizer` of what is written.
        limits: pair of int, longest source, and longest target with its end, in tokens.

    Example:
        writer = PairWriter.load("runs/multi30k")
        writer.write(["Two dogs run."], beams=4)           # ["Zwei Hunde rennen."]
        writer.n_best("Two dogs run.", beams=4)            # [("Zwei Hunde rennen.", -0.31), ("Zwei Hunde laufen.", ...
        writer.write(["Two dogs run."], temperature=0.8, top_p=0.9, seed=1)
    """

    def __init__(self, model, source, target, limits):
        self.model, self.source, self.target = model, source, target
        self.limits = tuple(limits)
        self._functions = {}

    @classmethod
    def load(cls, run_dir):
        """The writer of a finished run.

        Args:
            run_dir: path of the run directory.

        Raises:
            ValueError: if there is no finished run.
        """
        run_dir = Path(run_dir)
        if not (run_dir / "model.keras").exists():
            raise ValueError(f"{run_dir} has no model.keras: it is no finished run; train it first")
        source, target = (Tokenizer.load(run_dir / f"{side}.tokenizer.json") for side in ("source", "target"))
        model = keras.saving.load_model(run_dir / "model.keras", compile=False)
        limits = json.loads((run_dir / "config.json").read_text(encoding="utf-8"))["task"]["limits"]
        return cls(model, source, target, (limits["source"], limits["target"]))

    def reads(self, text):
        """Whether the model can read a text whole: it has a token, and no more than the limit allows."""
        return 0 < len(self.source.encode(text)) <= self.limits[0]

    def write(
        self,
        texts,
        *,
        beams=None,
        length_penalty=1.0,
        temperature=None,
        top_k=None,
        top_p=1.0,
        seed=0,
        cut=False,
        progress=False,
    ):
        """What the model writes for each text.

        Args:
            texts: list of str.
            beams: int, beam search with so many; None takes the likeliest token at every step.
            length_penalty: float, see `keras_seq.beam`.
            temperature: float, draw tokens in place of taking the likeliest; None does not.
            top_k, top_p, seed: see `keras_seq.sampling`.
            cut: bool, read of a text that is too long as much as the limit allows, in place of refusing it.
            progress: bool, a bar on standard error.

        Returns:
            list of str.

        Raises:
            ValueError: if a text is empty or too long, or both beams and a temperature are given.
        """
        if beams is not None and temperature is not None:
            raise ValueError(f"beams={beams} and temperature={temperature}; search for the best or draw, not both")
        if temperature is not None:
            function = self._function(sampling.sample, temperature=temperature, top_k=top_k, top_p=top_p)
            extra = [sampling.draw_numbers(len(texts), self.limits[1], seed)]
        elif beams is not None:
            function, extra = self._function(beam, beams=beams, length_penalty=length_penalty), []
        else:
            function, extra = self._function(decoding.greedy), []
        outputs = [None] * len(texts)
        for rows, (ids, *_) in self._run(function, texts, extra, cut, progress):
            for row, own in zip(rows, ids.tolist(), strict=True):
                outputs[row] = self.target.decode(own)
        return outputs

    def n_best(self, text, beams=4, count=None, length_penalty=1.0):
        """The best outputs that beam search finds for a text.

        Args:
            text: str.
            beams: int.
            count: int, how many; None for as many as beams.
            length_penalty: float, see `keras_seq.beam`.

        Returns:
            list of (text, score), the best first; the score is the sum of the log-probabilities by
            length ^ length_penalty.
        """
        function = self._function(n_best, beams=beams, count=count or beams, length_penalty=length_penalty)
        ((_, (ids, _, _, score)),) = self._run(function, [text])
        found = zip(ids[0].tolist(), score[0].tolist(), strict=True)
        return [(self.target.decode(own), value) for own, value in found if np.isfinite(value)]

    def scores(self, rows, *, beams=None, length_penalty=1.0, draws=0, progress=False):
        """BLEU and chrF of what the model writes, and its perplexity.

        Args:
            rows: list of `{"source": str, "target": str}`.
            beams, length_penalty, progress: as for `write`.
            draws: int, draws of the bootstrap; 0 leaves it out.

        Returns:
            dict of "bleu_lowercase", "bleu" and "chrf" -> dict of `keras_seq.text_scores.TextScore`, and "perplexity".
        """
        sources = [row["source"] for row in rows]
        found = self.write(sources, beams=beams, length_penalty=length_penalty, cut=True, progress=progress)
        scores = text_scores.of_translations(found, [row["target"] for row in rows], draws=draws)
        return scores | {"perplexity": self.perplexity(rows)}

    def perplexity(self, rows):
        """Perplexity of a target's token, its end included, given the source and the tokens before.

            exp(- sum over all targets of log p(target | source) / tokens)

        Args:
            rows: list of `{"source": str, "target": str}`.

        Returns:
            float.
        """
        counts = self.log_likelihood(rows)
        return float(np.exp(-counts[:, 0].sum() / counts[:, 1].sum()))

    def log_likelihood(self, rows):
        """What the model gives the targets, teacher-forced.

        Args:
            rows: list of `{"source": str, "target": str}`, of any length.

        Returns:
            float64 `(rows, 2)`, of each pair the log-likelihood of its target and the tokens in it, its end included.

        Raises:
            ValueError: if a source is empty.
        """
        sources = self._encoded([row["source"] for row in rows], longest=None)
        targets = [[*ids, Tokenizer.END] for ids in self.target.encode_batch([row["target"] for row in rows])]
        found = np.zeros((len(rows), 2))
        for places in _batches_of([max(map(len, pair)) for pair in zip(sources, targets, strict=True)]):
            source, _ = padded([sources[place] for place in places])
            labels, _ = padded([targets[place] for place in places])
            before = np.concatenate([np.full_like(labels[:, :1], Tokenizer.START), labels[:, :-1]], axis=1)
            found[places] = self._likelihood(source, before, labels)
        return found

    def forced(self, rows):
        """What is likeliest behind the target's own tokens, at each of its places: teacher forcing, read out.

        Args:
            rows: list of `{"source": str, "target": str}`.

        Returns:
            list of str, each of at most as many tokens as its target.
        """
        outputs = [None] * len(rows)
        target = self.target.encode_batch([row["target"] for row in rows])
        for places, source, _ in self._source_batches([row["source"] for row in rows], cut=True):
            given, _ = padded([[Tokenizer.START, *target[place]] for place in places])
            found = np.asarray(self._likeliest(source, given))
            for place, ids in zip(places, found.tolist(), strict=True):
                outputs[place] = self.target.decode(ids[: len(target[place]) + 1])
        return outputs

    def attention(self, text, output=None):
        """Where a Transformer's decoder looks in the source, by layer and head; of a Seq2Seq, its one attention.

        Args:
            text: str.
            output: str, what is written; None for what the model writes.

        Returns:
            source tokens, list of str; output tokens, list of str, the end last; and the weights, float32
            `(layers, heads, output, source)`.
        """
        output = self.write([text])[0] if output is None else output
        source, target = self.source.encode(text), self.target.encode(output)
        inputs = {"source": np.array([source]), "target": np.array([[Tokenizer.START, *target]])}
        if hasattr(self.model, "attention_weights"):
            weights = [np.asarray(layer)[0] for layer in self.model.attention_weights(inputs)]
        else:
            weights = [np.asarray(self.model.alignments(inputs))]
        tokens = pieces(self.source, text), [*pieces(self.target, output), "<end>"]
        return *tokens, np.stack(weights)

    @functools.cached_property
    def _likeliest(self):
        """Function of source and target to the likeliest token behind each of the target's, `(batch, target)`."""

        @tf.function(autograph=False, reduce_retracing=True)
        def likeliest(source, target):
            return tf.argmax(self.model({"source": source, "target": target}), axis=-1)

        return likeliest

    @functools.cached_property
    def _likelihood(self):
        """Function of source, target and labels to `(batch, 2)`: log-likelihood and number of the labels."""

        @tf.function(autograph=False, reduce_retracing=True)
        def likelihood(source, target, labels):
            scores = tf.nn.log_softmax(tf.cast(self.model({"source": source, "target": target}), tf.float32))
            kept = tf.cast(labels != 0, tf.float32)  # (batch, target)
            own = tf.gather(scores, labels, batch_dims=2) * kept
            return tf.stack([tf.reduce_sum(own, axis=1), tf.reduce_sum(kept, axis=1)], axis=1)

        return likelihood

    def _function(self, search, **options):
        """The compiled search; traced once for all shapes of its options."""
        key = search.__name__, *sorted(options.items())
        if key not in self._functions:

            def made(ids, length, *numbers):
                return search(self.model, ids, length, self.limits[1], *numbers, **options)

            shapes = [tf.TensorSpec((None, None), tf.int32), tf.TensorSpec((None,), tf.int32)]
            if search is sampling.sample:
                shapes.append(tf.TensorSpec((None, self.limits[1]), tf.float32))
            self._functions[key] = tf.function(made, input_signature=shapes, autograph=False)
        return self._functions[key]

    def _run(self, function, texts, extra=(), cut=False, progress=False):
        """Runs a search on batches of texts; gives for each its places in `texts` and its results as arrays."""
        for places, source, length in self._source_batches(texts, cut, progress):
            results = function(source, length, *(numbers[places] for numbers in extra))
            yield places, [np.asarray(found) for found in results]

    def _source_batches(self, texts, cut=False, progress=False):
        """Batches of texts of like length: places in `texts`, ids `(batch, source)` and lengths `(batch,)`, int32."""
        ids = self._encoded(texts, longest=None if cut else self.limits[0])
        ids = [own[: self.limits[0]] for own in ids]
        order = sorted(range(len(ids)), key=lambda place: len(ids[place]))
        for start in tqdm.trange(0, len(order), _BATCH, disable=not progress, unit=f" x {_BATCH} texts"):
            places = order[start : start + _BATCH]
            yield places, *padded([ids[place] for place in places])

    def _encoded(self, texts, longest):
        """Ids of sources, none of which may be empty or have more than `longest` tokens; None for any length."""
        ids = self.source.encode_batch(texts)
        for text, own in zip(texts, ids, strict=True):
            if not own or (longest is not None and len(own) > longest):
                raise ValueError(
                    f"{text[:80]!r} has {len(own)} tokens; give texts of 1 to {self.limits[0]}, a long one in sentences"
                )
        return ids


def _batches_of(lengths):
    """Places of sequences of like length, as many at once as a budget of tokens allows: lists of int."""
    order = sorted(range(len(lengths)), key=lambda place: -lengths[place])
    while order:
        count = max(1, _SCORED_TOKENS // lengths[order[0]])
        yield order[:count]
        order = order[count:]


def padded(sequences):
    """Lists of ids as an int32 array `(batch, longest)`, padded with 0 on the right, and their lengths `(batch,)`."""
    length = np.array([len(own) for own in sequences], "int32")
    ids = np.zeros((len(sequences), length.max()), "int32")
    for row, own in zip(ids, sequences, strict=True):
        row[: len(own)] = own
    return ids, length


def pieces(tokenizer, text):
    """The tokens of a text as they stand in it, list of str."""
    normalized = tokenizer.normalize(text)
    return [normalized[begin:end].strip() or "␣" for begin, end in tokenizer.offsets(normalized)]
