# %% [markdown]
# # 14 Speech
#
# **Question.** A microphone gives eight thousand numbers a second. How does a network write down what is said in them,
# when nobody tells it where a word begins? Does the decoder that looks back (lesson 10) find the words in time? What
# does CTC do in its place? And who is understood: those it has heard, or anybody?
#
#     python tutorials/14_speech.py                     about 30 minutes on two cores; it continues when killed
#     python tutorials/14_speech.py --wav my.wav        what is said in a recording of yours, of digits, up to 8 seconds
#
# The data is spoken_digit, the Free Spoken Digit Dataset (Jackson et al., 2018; `KERAS_SEQ_DATA` or the network has
# it): five speakers, each of the ten digits fifty times. Recordings 0 to 4 of each are the customary test.

# %%
import dataclasses
import sys
import warnings
from pathlib import Path

import numpy as np
from lesson import Lesson


@dataclasses.dataclass(frozen=True)
class Config:
    """Sizes of the lesson.

    Attributes:
        model: options of `keras_seq.recipes.speech.SpeechConfig`.
        ctc: options of the CTC model that differ.
        left_out: options of the model that never hears one of the speakers that differ.
        noises: ints, decibels that the voice is above the noise, at which the test is repeated.
        noisy: int, strings at each of them.
        looked: int, test strings whose words are looked up in time.
        draws: int, draws of the bootstrap.
    """

    model: dict = dataclasses.field(default_factory=dict)
    ctc: dict = dataclasses.field(default_factory=lambda: dict(epochs=30))
    left_out: dict = dataclasses.field(default_factory=lambda: dict(digits=2, grow=0, epochs=25))
    noises: tuple = (0, 5, 10, 15, 20, 30, 40)
    noisy: int = 150
    looked: int = 100
    draws: int = 1000


SMALL = dict(units=12, channels=3, num_layers=1, embedding_size=5, bands=16, seconds=2.0, digits=3, strings=32,
             epochs=2, batch_size=8, average=1, test_strings=12, validation_strings=8)  # fmt: skip
SMOKE = Config(model=SMALL, ctc={"epochs": 1}, left_out={"digits": 2, "epochs": 1}, noises=(0, 40), noisy=6, draws=20)
GPU = Config(model=dict(units=256, channels=64, strings=8192, epochs=60, batch_size=128), ctc={}, left_out={})
ATTENTION, CTC = "attention", "CTC"
DATA = "spoken_digit, recordings 0 to 4"
OPTIONS = {
    "--wav": {
        "metavar": "FILE",
        "type": Path,
        "nargs": "+",
        "help": "recordings of yours, of any rate, mono or stereo",
    },
    "--speaker": {"default": "theo", "help": "who is left out of training, in the last part (default: %(default)s)"},
    "--seed": {"type": int, "default": 1, "help": "of the trainings (default: %(default)s)"},
    "--preset": {"choices": ("laptop", "gpu"), "default": "laptop", "help": "gpu: wider, and many more strings"},
}


def main(argv=None):
    """Looks and listens, trains with attention and by CTC, compares, leaves a speaker out and ships."""
    lesson = Lesson(__file__, "Spoken digits to text.", argv, OPTIONS)
    config = SMOKE if lesson.smoke else {"laptop": Config(), "gpu": GPU}[lesson.options.preset]
    lesson.use_own_folder()
    if lesson.options.wav:
        listen(lesson, lesson.options.wav)
        return
    lesson.use_precision()
    parts = look_at_the_data(lesson)
    look_at_a_recording(lesson, parts)
    recognisers, results = learn(lesson, config, parts)
    tests = tests_of(lesson, config, parts)
    scores = compare(lesson, config, recognisers, tests)
    noise(lesson, config, recognisers, parts)
    when(lesson, config, recognisers, parts)
    read_errors(lesson, tests, scores)
    unheard = leave_out(lesson, config, parts)
    odd_input(lesson, recognisers[ATTENTION], parts)
    from shipping import ship

    print("\nEvery format and precision")
    shipped = ship(lesson, lesson.run / ATTENTION, beams=4, timeout=1200)
    rows = score_rows(lesson, results, scores, unheard)
    for own in scores.values():
        for score in own.values():
            score.pop("outputs")
    lesson.finish(scores=rows, table=scores, results=results, matrix=shipped)


# %% [markdown]
# ## The data
# Each recording is one digit, cut close, some four tenths of a second long. The speakers are the same in all parts: the
# test asks whether another recording of a known voice is understood. Whether another *voice* is comes last.


# %%
def look_at_the_data(lesson):
    """Recordings by part, with their numbers printed; at --smoke the tones of telephone keys."""
    from keras_seq.data import toy_speech
    from keras_seq.recipes.speech import load_parts

    print("The data")
    try:
        if lesson.smoke:
            parts = {part: toy_speech.recordings(count, seed) for seed, (part, count) in enumerate(TOY.items())}
        else:
            parts = load_parts()
    except (OSError, ValueError, ModuleNotFoundError) as error:
        sys.exit(f"{lesson.name}: {error}")
    for part, rows in parts.items():
        lesson.number(f"recordings: {part}", len(rows), ",d")
    rows = parts["train"]
    seconds = [len(row["audio"]) / row["rate"] for row in rows]
    lesson.number("seconds of a recording", np.mean(seconds), ".2f")
    lesson.number("    of the longest", max(seconds), ".2f")
    names = sorted({row["speaker"] for row in rows})
    print(f"  speakers: {', '.join(names)}")
    if lesson.smoke:
        lesson.options.speaker = names[-1]
    if lesson.options.speaker not in names:
        sys.exit(f"{lesson.name}: --speaker {lesson.options.speaker} is none of them; choose one")
    return parts


TOY = {"train": 4, "validation": 1, "test": 1}


# %% [markdown]
# ## What the network hears
# Not the waveform: a sine shifted by half its length is its own opposite and sounds the same. Every 10 milliseconds a
# frame of 32 is cut out with a soft window, its Fourier transform says how much of each frequency is in it, triangles
# sum the frequencies into 40 bands as wide as the ear hears them (the **mel** scale), and a logarithm makes of products
# sums:
#
# $$x_{t,m} = \ln \sum_k \triangle_{k,m} \Big| \sum_n w_n\, s_{tH+n}\, e^{-2 \pi i k n / N} \Big|^2$$
#
# Loudness multiplies $s$; after the logarithm it is a number added to everything, and goes when the mean of all is
# taken away. (For sentences it is customary to take each band's own mean: that takes the microphone's colour away too,
# and here, where one digit may be all there is, its vowel.) All of it is a layer, `keras_seq.layers.LogMel`: a
# convolution with fixed kernels, a square, a matrix, a logarithm. So it is in every file that is exported, and a phone
# hands over raw samples.


# %%
def look_at_a_recording(lesson, parts):
    """The waveform and the log-mel features of one recording of each of two digits, and what loudness does to them."""
    from keras_seq.data.speech import to_float
    from keras_seq.layers import LogMel
    from keras_seq.plots import recording

    print("\nWhat the network hears")
    layer = LogMel()
    for digit in ("7", "2"):
        row = next(row for row in parts["test"] if row["label"] == digit)
        samples = to_float(row["audio"])
        features = np.asarray(layer(samples[None], np.array([len(samples)])))[0]
        title = f'"{digit}", said by {row["speaker"]}'
        lesson.figure(recording(lesson.run / f"digit_{digit}.png", samples, row["rate"], features, title=title))
    softer = np.asarray(layer(samples[None] / 30, np.array([len(samples)])))[0]
    lesson.number("numbers a second, waveform", row["rate"], ",d")
    lesson.number("numbers a second, log-mel", features.shape[1] * row["rate"] // layer.hop, ",d")
    change = float(np.abs(softer - features).mean())
    lesson.claim(
        "thirty times softer changes a feature by {change:.4f}, of a deviation of 1", change < 0.05, change=change
    )


# %% [markdown]
# ## Strings, put together
# One digit is a matter of classification. Here strings of one to six are written down: recordings of one part of the
# data, one behind another across pauses, of one speaker or several, in noise. Every epoch has new ones; recordings are
# made a little faster or slower, louder or softer, and some strings are clipped, or nothing but noise, whose text is
# empty (`keras_seq/data/speech.py`).
#
# **With attention** the encoder's outputs, one for each 40 milliseconds, are what the decoder looks back at: lesson 10
# with sound in place of letters. **CTC** has no decoder: at each of those positions the network says a word, or that
# there is none there to be said, and what it is trained on is the sum over all the ways in which the words could be
# laid out in time:
#
# $$p(y) = \sum_{\text{paths } \pi \text{ that read } y} \prod_s p(\pi_s \mid s)$$


# %%
def configuration(lesson, config, **options):
    """The `SpeechConfig` of a model."""
    from keras_seq.recipes.speech import SpeechConfig

    return SpeechConfig(**{"seed": lesson.options.seed, **config.model, **options})


def learn(lesson, config, parts):
    """The trained recognisers and the contents of their results.json; finished runs are only loaded."""
    from keras_seq.plots import curves
    from keras_seq.recipes.speech import train
    from keras_seq.training.run_directory import read_rows

    print("\nStrings, put together", flush=True)
    configs = {ATTENTION: configuration(lesson, config), CTC: configuration(lesson, config, model="ctc", **config.ctc)}
    recognisers, results, series = {}, {}, {}
    for name, own in configs.items():
        run = lesson.run / name.lower()
        recognisers[name], results[name] = lesson.trained(train, own, parts, run, verbose=0 if lesson.smoke else 2)
        results[name]["minutes"] = round(results[name]["seconds"] / 60, 1)
        lesson.number(f"parameters: {name}", results[name]["parameters"], ",d")
        lesson.number(f"minutes of training: {name}", results[name]["minutes"], ".1f")
        rows = read_rows(run / "metrics.csv")
        epochs = [row["epoch"] for row in rows]
        for part, key in (("training", "loss"), ("validation", "val_loss")):
            series[f"{name}, {part}"] = epochs, [row[key] for row in rows]
    title = "Learning curves (a loss of each kind: compare their shapes)"
    lesson.figure(curves(lesson.run / "learning.png", series, "epoch", "loss", title, log="y"))
    return recognisers, results


# %% [markdown]
# ## How good is it?
# On the customary test, 250 single recordings, the share that is right. On 500 strings of two to six of them the **word
# error rate**: words put in, left out and taken for others, by words said. The bounds hold 95 of 100 draws of the test
# anew; the strings are made of the same 250 recordings, so that theirs are a little too narrow.


# %%
DIGITS, STRINGS = "digits", "strings"


def tests_of(lesson, config, parts):
    """Recordings as floats and their texts, of the single test recordings and of the strings."""
    from keras_seq.data.speech import to_float
    from keras_seq.recipes import speech

    rows = {
        DIGITS: speech.test_recordings(parts["test"]),
        STRINGS: speech.test_strings(configuration(lesson, config), parts["test"]),
    }
    return {name: ([to_float(samples) for samples, _ in own], [text for _, text in own]) for name, own in rows.items()}


def compare(lesson, config, recognisers, tests):
    """Scores of both recognisers on both tests: dict of dict of dicts, see `Recogniser.scores`."""
    from keras_seq.plots import curves

    print("\nHow good is it?")
    scores, series = {}, {}
    lengths = sorted({len(text.split()) for text in tests[STRINGS][1]})
    for name, recogniser in recognisers.items():
        own = scores[name] = {test: recogniser.scores(*rows, draws=config.draws) for test, rows in tests.items()}
        show(lesson, f"digits right: {name}", own[DIGITS]["exact"])
        show(lesson, f"word error rate, strings: {name}", own[STRINGS]["word_errors"])
        show(lesson, f"strings without an error: {name}", own[STRINGS]["exact"])
        series[name] = lengths, by_length(own[STRINGS]["outputs"], tests[STRINGS][1], lengths)
    title = "Longer strings"
    lesson.figure(curves(lesson.run / "by_length.png", series, "digits said", "word error rate", title, percent=True))
    best = scores[ATTENTION]
    lesson.claim(
        "{value:.1%} of the test's digits are right ({low:.1%} to {high:.1%}): the bar is 98 %",
        best[DIGITS]["exact"]["value"] >= 0.98, **best[DIGITS]["exact"],
    )  # fmt: skip
    lesson.claim(
        "the word error rate of strings is {value:.2%} ({low:.2%} to {high:.2%}): the bar is 4 %",
        best[STRINGS]["word_errors"]["value"] <= 0.04, **best[STRINGS]["word_errors"],
    )  # fmt: skip
    return scores


def show(lesson, name, score):
    """Prints a share with its interval."""
    lesson.number(f"{name} ({score['low']:.1%} to {score['high']:.1%})", score["value"], ".2%")


def by_length(outputs, texts, lengths):
    """Word error rate of the strings of each number of digits."""
    from keras_seq.scores import ratio
    from keras_seq.text_scores import word_errors

    counts = word_errors(outputs, texts)
    said = np.array([len(text.split()) for text in texts])
    return [float(ratio(counts[said == length].sum(axis=0))) for length in lengths]


# %% [markdown]
# ## In noise
# The same test recordings, joined to other strings, in noise that is louder and louder. Training had 10 to 50 decibels;
# at 0 the noise is as loud as the voice.


# %%
def noise(lesson, config, recognisers, parts):
    """Word error rate by the loudness of the noise."""
    from keras_seq.data.speech import strings, to_float
    from keras_seq.plots import curves

    print("\nIn noise")
    own = configuration(lesson, config)
    series = {name: ([], []) for name in recognisers}
    for decibels in config.noises:
        mixing = dataclasses.replace(own.mixing.plain(), decibels=(decibels, decibels))
        rows = strings(parts["test"], config.noisy, mixing, (2, own.digits), 2000, own.limits[0])
        for name, recogniser in recognisers.items():
            score = recogniser.scores([to_float(samples) for samples, _ in rows], [text for _, text in rows], draws=2)
            series[name][0].append(decibels)
            series[name][1].append(score["word_errors"]["value"])
            lesson.number(f"word error rate, voice {decibels} dB above noise: {name}", series[name][1][-1], ".1%")
    title = "Noise: white to dull, at all loudnesses"
    path = lesson.run / "noise.png"
    lesson.figure(curves(path, series, "voice above the noise, dB", "word error rate", title, percent=True))


# %% [markdown]
# ## When it hears what
# Nobody told it where a digit begins. The rows of the attention are the words as they are written, the columns 40
# milliseconds each: does it go from left to right, and is the largest weight of a word in its own sound? Under it CTC,
# which says each word in a moment and is silent for the rest.


# %%
def when(lesson, config, recognisers, parts):
    """Waveform, features and the alignments of both recognisers on one string; how many words look at their sound."""
    from keras_seq.data.speech import to_float
    from keras_seq.plots import recording
    from keras_seq.recipes.speech import planned_test_strings

    print("\nWhen it hears what")
    strings = planned_test_strings(configuration(lesson, config), parts["test"])[: config.looked]
    samples, text, _ = max(strings, key=lambda row: min(5, len(row[1].split())))
    samples, own = to_float(samples), recognisers[ATTENTION]
    alignments = [(f"{name}: when", *each.alignment(samples)) for name, each in recognisers.items()]
    path = lesson.run / "attention.png"
    lesson.figure(recording(path, samples, own.model.rate, own.features(samples), alignments, f'"{text}"'))
    for name, recogniser in recognisers.items():
        counts = np.sum([looks(recogniser, to_float(samples), plan) for samples, _, plan in strings], axis=0)
        lesson.number(f"words whose largest weight is in their own sound: {name}", counts[0] / max(1, counts[1]), ".1%")
        lesson.number(f"words further right than the one before: {name}", counts[2] / max(1, counts[3]), ".1%")


def looks(recogniser, samples, plan):
    """Of a string that is as long as it should be: words that look into their own sound, words; to the right, pairs."""
    words, weights = recogniser.alignment(samples)
    said = [word for word in words if word != "<end>"]
    if len(said) != len(plan.spans):
        return np.zeros(4, int)
    positions = weights[: len(said)].argmax(axis=1)
    middles = (positions + 0.5) * recogniser.model.step_samples
    right = sum(begin <= middle < end for middle, (begin, end) in zip(middles, plan.spans, strict=True))
    return np.array([right, len(said), np.count_nonzero(np.diff(positions) > 0), max(0, len(said) - 1)])


# %% [markdown]
# ## What it gets wrong
# Of single digits which is taken for which, and of the strings those with the most errors.


# %%
def read_errors(lesson, tests, scores):
    """Draws the confusion of the digits, and prints strings with errors."""
    from keras_seq.data.speech import NAMES
    from keras_seq.plots import confusion
    from keras_seq.text_scores import word_errors

    print("\nWhat it gets wrong")
    classes = [*NAMES, "other"]
    counts = np.zeros((len(classes),) * 2, int)
    for text, output in zip(tests[DIGITS][1], scores[ATTENTION][DIGITS]["outputs"], strict=True):
        counts[classes.index(text), classes.index(output) if output in NAMES else -1] += 1
        if output != text:
            print(f"  {text:8} taken for {output or 'nothing'!r}")
    title = "Digits of the test, taken for what"
    lesson.figure(confusion(lesson.run / "confusion.png", counts, classes, title))
    for name, own in scores.items():
        outputs, texts = own[STRINGS]["outputs"], tests[STRINGS][1]
        edits = word_errors(outputs, texts)[:, 0]
        print(f"  {name}:")
        for place in np.argsort(-edits, kind="stable")[:6]:
            if edits[place]:
                print(f"    {texts[place]:36} -> {outputs[place]}")


# %% [markdown]
# ## Somebody it has never heard
# The test so far knows every voice. Now one speaker is left out of training and validation altogether, and all that
# this speaker has said, 500 recordings, is the test. A shorter training of the same model on four voices.


# %%
def leave_out(lesson, config, parts):
    """The score on a speaker who is left out: dict of `value`, `low`, `high` and `minutes`."""
    from keras_seq.data.speech import to_float, without_speaker
    from keras_seq.recipes.speech import test_recordings, train

    speaker = lesson.options.speaker
    print(f"\nSomebody it has never heard: {speaker}", flush=True)
    own = without_speaker(parts, speaker)
    options = configuration(lesson, config, **config.left_out)
    recogniser, results = lesson.trained(train, options, own, lesson.run / f"without_{speaker}", verbose=0)
    samples, texts = zip(*test_recordings(own["test"]), strict=True)
    scores = recogniser.scores([to_float(each) for each in samples], texts, draws=config.draws)
    show(lesson, f"digits of {speaker} right", scores["exact"])
    lesson.number("minutes of training", results["seconds"] / 60, ".1f")
    wrong = [text for text, output in zip(texts, scores["outputs"], strict=True) if output != text]
    print(
        "  wrong: " + ", ".join(f"{wrong.count(name)} x {name}" for name in sorted(set(wrong), key=wrong.count)[::-1])
    )
    lesson.claim(
        "{value:.1%} of what {speaker} says is right ({low:.1%} to {high:.1%}), who was never heard: the bar is 90 %",
        scores["exact"]["value"] >= 0.9, speaker=speaker, **scores["exact"],
    )  # fmt: skip
    return {**scores["exact"], "minutes": round(results["seconds"] / 60, 1), "parameters": results["parameters"]}


# %% [markdown]
# ## Odd input
# Silence and noise have nothing in them to write. What is clipped is read as well as may be. What is too long, has
# several channels or is of whole numbers is refused here, with what to do.


# %%
def odd_input(lesson, recogniser, parts):
    """Prints what becomes of silence, noise, clipping and softness, and what is refused."""
    from keras_seq.data.speech import NAMES, to_float

    print("\nOdd input")
    row = parts["test"][0]
    voice, name, random = to_float(row["audio"]), NAMES[int(row["label"])], np.random.default_rng(0)
    noise = 0.01 * random.standard_normal(2 * recogniser.model.rate, "float32")
    odd = {
        "two seconds of silence": (0 * noise, ""),
        "two seconds of noise": (noise, ""),
        f"{name}, clipped": (np.clip(10 * voice / np.abs(voice).max(), -1, 1), name),
        f"{name}, a hundred times softer": (voice / 100, name),
    }
    found = {what: recogniser.recognise([samples])[0] for what, (samples, _) in odd.items()}
    for what, text in found.items():
        print(f"  {what}: {text or 'nothing'}")
    wrong = [what for what, text in found.items() if text != odd[what][1]]
    lesson.claim("of {count} kinds of odd input {wrong} are taken for what they are not", not wrong, count=len(odd),
                 wrong=len(wrong))  # fmt: skip
    for samples in (np.zeros(recogniser.limits[0] + 1, "float32"), np.zeros((900, 2), "float32"), row["audio"]):
        try:
            recogniser.recognise([samples])
        except ValueError as error:
            print(f"  refused: {error}")


# %% [markdown]
# ## A recording of yours
# `--wav FILE`: any rate, resampled to the model's; the mean of the channels. What is silent, too long or no whole WAV
# file is refused; of what is clipped or very quiet it is said.


# %%
def listen(lesson, paths):
    """Prints what is said in files, and draws when; ends with the reason at one that cannot be read."""
    from keras_seq.plots import recording
    from keras_seq.recipes.recogniser import Recogniser

    try:
        from export.runtime.audio import read_audio

        recogniser = Recogniser.load(lesson.run / ATTENTION)
        rate = recogniser.model.rate
        for path in paths:
            with warnings.catch_warnings(record=True) as doubts:
                warnings.simplefilter("always")
                samples = read_audio(path, rate, recogniser.limits[0])
            (text,) = recogniser.recognise([samples])
            print(f"  {path}: {text or 'nothing'}")
            for doubt in doubts:
                print(f"      {doubt.message}")
            alignments = [("attention: when", *recogniser.alignment(samples))]
            features = recogniser.features(samples)
            figure = lesson.run / f"{path.name}.heard.png"
            lesson.figure(recording(figure, samples, rate, features, alignments, text))
            print(f"      {figure}")
    except (OSError, ValueError, ImportError) as error:
        sys.exit(f"{lesson.name}: {error}")


# %% [markdown]
# ## Ship it
# The front end is in the files: what goes in are samples. CTC is compared here and not shipped: its files would need a
# decoding of their own.


# %%
def score_rows(lesson, results, scores, unheard):
    """What README's table is made from."""
    common = {"command": lesson.command, "seed": lesson.options.seed, "how": "bootstrap"}
    models = {ATTENTION: "CNN, BiGRUs, attention", CTC: "CNN, BiGRUs, CTC"}
    rows = []
    for name, model in models.items():
        own = {**common, "model": model, "parameters": results[name]["parameters"], "minutes": results[name]["minutes"]}
        digits, words = scores[name][DIGITS]["exact"], scores[name][STRINGS]["word_errors"]
        bars = {"bar": 0.98, "stretch": 0.99}, {"bar": 0.04, "stretch": 0.02}
        joined = {"what": "2 to 6 spoken digits", "data": f"{DATA}, joined", "metric": "word error rate"}
        rows.append({**own, "what": "a spoken digit", "data": DATA, "metric": "accuracy", **digits, **bars[0]})
        rows.append({**own, **joined, **words, **bars[1]})
    rows.append(
        {**common, "what": "a spoken digit", "data": f"spoken_digit, {lesson.options.speaker} never heard", "bar": 0.9,
         "stretch": None, "model": models[ATTENTION], "metric": "accuracy", **unheard}
    )  # fmt: skip
    return rows


# %% [markdown]
# ## What it says, and an exercise
# - The front end throws away what does not matter, phase and loudness, and leaves a picture that is nearly the same
#   whenever the same is said. What more it throws away has to be chosen with care.
# - Of voices that they know both models understand 99 digits of 100, and in strings all but one word in some hundreds;
#   their intervals overlap. Attention finds the words in time by itself, from nothing but pairs of sound and text: its
#   largest weight is in the word's own sound nearly always. CTC is told that time goes one way and has no decoder to
#   learn: it is the smaller model.
# - Noise that is as loud as the voice costs a third of the words; ten decibels less, one in twenty-five.
# - Somebody who was never heard is misunderstood ten times as often. That is the honest number for a stranger's phone,
#   and it is one stranger's: the interval knows nothing of other voices.
#
# **Exercise.** Leave each speaker out in turn (`--speaker jackson`, ...): who is the hardest, and why? Then take the
# change of speed out (`Mixing(speed=(1, 1))`): which of the scores falls, and which does not?

# %%
if __name__ == "__main__":
    main()
