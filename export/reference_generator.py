"""What Keras writes: the model as it was trained, by greedy decoding and beam search, for a generator of any source."""

from pathlib import Path

import numpy as np

from export import errors
from export.examples import ALL_TAKEN
from export.generator_examples import read_examples
from export.generator_scores import generator_score, teacher_forced
from export.reference_labels import median_ms
from export.sources import Sources, as_data, inputs_of

_BATCH = 64
# Half a point of so many is one example.
_BEAM_SEARCHED = ALL_TAKEN
# Share of the largest number of the memory that padding may move.
_ROUNDING = 1e-3


def of_generator(model, run, task, part, beams=None):
    """What Keras writes for the run's test set.

    Args:
        model: `keras.Model` with `encode` and `step`.
        run: path of the run directory.
        task: `export.examples.Task` of a generator.
        part: slice, test examples to take.
        beams: int, beam search is done too, on the first few of them; None leaves it out.

    Returns:
        dict of lists, one entry an example, and a dict of Keras's own `score` and `latency_ms`. The first has `text`
        (of audio and pictures what reports call it), the source (`export.sources`), `target` and `target_ids` (what
        should be written; where several will do `accepted_target` and `accepted_target_ids` have them all), `output`
        (what Keras writes), `ids` (the same, padded), `length`, `log_probability`, `margin` (difference of the two best
        logits at each step), what the task's score asks for (`export.generator_scores`), and with beams `beam_ids`,
        `beam_length`, `beam_log_probability` and `beam_output`, which are None behind the first few.

    Raises:
        ExportError: if the test set is not as described, or a model of audio remembers its padding.
    """
    from keras_seq.data.tokenizer import Tokenizer

    vocabulary = Path(run, "target.tokenizer.json")
    target, score = Tokenizer.load(vocabulary), generator_score(task.score, vocabulary)
    found, limit = read_examples(run, task)[part], task.limits["target"]
    first = [targets[0] for targets in found.accepted]
    answers = {"text": found.name, "target": first, "target_ids": target.encode_batch(first), **as_data(found.source)}
    if any(len(targets) > 1 for targets in found.accepted):
        answers["accepted_target"] = found.accepted
        answers["accepted_target_ids"] = [target.encode_batch(targets) for targets in found.accepted]
    if task.audio:
        _check_padding(model, found, task.limits["source"])
    sources = Sources(answers)
    written, latency = _greedy(model, sources, limit)
    answers |= {name: array.tolist() for name, array in written.items()}
    answers["output"] = [target.decode(row) for row in written["ids"].tolist()]
    answers |= score.asked(model, answers, limit)
    if beams is not None:
        searched = _beam(model, sources, limit, beams)
        searched["output"] = [target.decode(row) for row in searched["ids"]]
        rest = [None] * (len(sources) - len(searched["ids"]))
        answers |= {f"beam_{name}": written + rest for name, written in searched.items()}
    share = score.share(score.keras(answers), answers, range(len(first)))
    return answers, {"score": {score.name: share, "examples": len(first)}, "latency_ms": latency}


def _greedy(model, sources, max_length):
    from keras_seq import decoding

    generate = _compiled(lambda source, length=None: decoding.greedy(model, source, length, max_length))
    parts = []
    for inputs in _batches(sources, len(sources)):
        ids, length, log_probability = generate(*inputs.values())
        ids = np.asarray(ids)
        before = np.concatenate([np.full_like(ids[:, :1], decoding.START), ids[:, :-1]], axis=1)
        best = np.sort(teacher_forced(model, inputs, before), axis=-1)  # (batch, target, vocabulary)
        parts.append((ids, np.asarray(length), np.asarray(log_probability), best[..., -1] - best[..., -2]))
    names = ("ids", "length", "log_probability", "margin")
    alone = [tuple(inputs_of([row]).values()) for row in sources.rows]
    latency = median_ms(alone, lambda source: generate(*source))
    return dict(zip(names, map(np.concatenate, zip(*parts, strict=True)), strict=True)), latency


def _beam(model, sources, max_length, beams):
    """What beam search writes: lists of `ids`, `length` and `log_probability`."""
    from keras_seq.beam import beam

    search = _compiled(lambda source, length=None: beam(model, source, length, max_length, beams))
    written = [
        map(np.asarray, search(*inputs.values())) for inputs in _batches(sources, min(_BEAM_SEARCHED, len(sources)))
    ]
    names = ("ids", "length", "log_probability")
    return dict(zip(names, (np.concatenate(each).tolist() for each in zip(*written, strict=True)), strict=True))


def _batches(sources, count):
    """Inputs of the first so many examples, all equally wide."""
    width = max(sources.sizes[:count])
    for start in range(0, count, _BATCH):
        yield sources.inputs(range(start, min(start + _BATCH, count)), width)


def _compiled(function):
    import tensorflow as tf

    return tf.function(function, autograph=False, reduce_retracing=True)


def _check_padding(model, found, limit):
    """Refuses a model of audio that remembers something else when it is padded, as for a file of fixed shapes.

    What is remembered of a text is compared as far as the text goes; how many frames a recording has the model alone
    knows, so that all of them are compared, behind the real ones too.
    """
    shortest = min(range(len(found)), key=lambda number: len(found.source[number]))
    row = found.source[shortest]
    (alone, state), (padded, padded_state) = (
        model.encode(*inputs_of([row], width).values()) for width in (None, limit)
    )
    for name, one in {**alone, **state}.items():
        wanted, got = np.asarray(one), np.asarray({**padded, **padded_state}[name])
        got = got[tuple(map(slice, wanted.shape))]
        error = float(np.abs(got - wanted).max()) if got.shape == wanted.shape else np.inf
        if not error <= _ROUNDING * max(1.0, float(np.abs(wanted).max(initial=0))):
            raise errors.ExportError(
                f"the model hears its padding: {found.name[shortest]}, padded from {len(row)} to {limit} samples, "
                f"moves {name} of encode by {error:.2g}; mask the frames behind source_length in each layer that looks "
                "around, give zeros for them, and take padding='valid': 'same' shifts strided frames with the width"
            )
