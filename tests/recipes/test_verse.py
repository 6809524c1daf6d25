"""Verse: what is read and written, how it is scored, and that a run of it trains, writes and can be exported."""

import dataclasses
import itertools
import json
import os

import numpy as np
import pytest
import tensorflow as tf

from keras_seq.data import verse
from keras_seq.ngrams import KneserNey
from keras_seq.recipes import verse as recipe
from keras_seq.recipes import verse_scores as scores
from keras_seq.recipes.verse_poems import Poems
from keras_seq.recipes.verse_writing import Poet, _chosen
from keras_seq.rhymes import rhymes

RECORDS = [
    {"poem": "one", "source": "明月松間照", "target": "清泉石上流"},
    {"poem": "one", "source": "竹喧歸浣女", "target": "蓮動下漁舟"},
    {"poem": "two", "source": "兩個黃鸝鳴翠柳", "target": "一行白鷺上青天"},
    {"poem": "two", "source": "春眠不覺曉", "target": "處處聞啼鳥"},
]
QUATRAINS = [
    {"title": "登鸛雀樓", "lines": ["白日依山盡", "黃河入海流", "欲窮千里目", "更上一層樓"]},
    {"title": "一二三四五六七八九十一", "lines": ["春眠不覺曉", "處處聞啼鳥", "夜來風雨聲", "花落知多少"]},
    {"title": "短", "lines": ["春眠不覺曉", "處處聞啼鳥", "夜來風雨", "花落知多少"]},
]


def test_sources_are_a_line_a_couplet_and_a_line_or_a_title_with_what_is_there():
    poems = verse.couplets(RECORDS)
    assert verse.alone(poems) == [(record["source"], record["target"]) for record in RECORDS]
    # A couplet in lines of another length is no context.
    assert verse.after_a_couplet(poems) == [("明月松間照，清泉石上流，竹喧歸浣女", "蓮動下漁舟")]
    pairs, left_out = verse.from_titles(QUATRAINS)
    assert pairs == [
        ("《登鸛雀樓》，□□□□□", "白日依山盡"),
        ("《登鸛雀樓》，白日依山盡", "黃河入海流"),
        ("《登鸛雀樓》，白日依山盡，黃河入海流", "欲窮千里目"),
    ]
    assert left_out == 2  # too long a title, lines of two lengths


def test_each_couplet_is_read_once_by_a_coin_that_falls_the_same_way():
    poems = Poems.toy(200).train
    pairs, again = verse.mixed(poems), verse.mixed(dict(reversed(poems.items())))
    assert sorted(pairs) == sorted(again) and [target for _, target in pairs] == [t for _, t in verse.alone(poems)]
    seconds = [pairs[number] for number in range(1, len(pairs), 2)]
    assert 0.3 < np.mean([verse.SEPARATOR in source for source, _ in seconds]) < 0.7
    assert not any(verse.SEPARATOR in source for source, _ in pairs[::2])


def test_every_source_is_as_long_as_foreseen():
    poems = Poems.toy()
    for source, target in poems.examples("train", contexts=True) + verse.after_a_couplet(poems.train):
        assert len(source) <= max(verse.source_lengths(len(target)))
        assert len(source.split(verse.SEPARATOR)[-1]) == len(target)


def test_batches_hold_each_line_once_without_its_end_and_without_unknown_labels():
    poems = Poems.toy(80)
    tokenizer = poems.tokenizer(min_count=20)
    pairs = poems.examples("train", contexts=True)
    batches = recipe.LineBatches(pairs, tokenizer, batch_size=7, seed=1)
    seen, unknown = [], 0
    for inputs, labels in batches(0):
        source, target, labels = (np.asarray(array) for array in (inputs["source"], inputs["target"], labels))
        assert target.shape == labels.shape and labels.shape[1] in (5, 7) and (target[:, 0] == tokenizer.START).all()
        assert not np.isin(labels, [tokenizer.START, tokenizer.END, tokenizer.UNKNOWN]).any()
        real = labels.any(axis=1)
        unknown += int((labels[real] == 0).sum())
        seen += [tuple(row[row > 0]) for row in source[real]]
    encoded = tokenizer.encode_batch([source for source, _ in pairs])
    assert sorted(seen) == sorted(map(tuple, encoded))
    assert unknown == sum(ids.count(tokenizer.UNKNOWN) for ids in tokenizer.encode_batch([t for _, t in pairs])) > 0
    first, again, other = (np.concatenate([np.ravel(labels) for _, labels in batches(epoch)]) for epoch in (0, 0, 1))
    assert (first == again).all() and (first != other).any()


class Uniform:
    """A model that thinks every character equally likely."""

    def __init__(self, tokenizer):
        self._row = np.where(np.arange(len(tokenizer)) > tokenizer.UNKNOWN + len(verse.MARKS), 0.0, -1e9).astype(
            "float32"
        )

    def __call__(self, inputs, training=False):
        return tf.zeros((*tf.unstack(tf.shape(inputs["target"])), 1)) + self._row


def test_who_thinks_all_equally_likely_has_the_number_of_characters_for_a_perplexity():
    poems = Poems.toy()
    tokenizer = poems.tokenizer(2)
    found = scores.network_scores(Uniform(tokenizer), tokenizer, scores.examples(poems.test))
    assert found.perplexity == pytest.approx(len(tokenizer) - 8)
    assert found.interval() == pytest.approx([len(tokenizer) - 8] * 2)
    assert found.by_position(5) == pytest.approx([len(tokenizer) - 8] * 5)


@pytest.mark.parametrize("breaks", [True, False])
def test_network_and_trigrams_are_asked_for_the_same_characters(breaks):
    poems = Poems.toy()
    tokenizer = poems.tokenizer(30)  # some are unknown
    lines = scores.examples(poems.test)
    network = scores.network_scores(Uniform(tokenizer), tokenizer, lines)
    trigrams = scores.LineTrigrams(poems.train, tokenizer, breaks, "modified").scores(lines)
    for name in ("position", "length", "poem"):
        assert (getattr(network, name) == getattr(trigrams, name)).all()
    assert network.unknown == trigrams.unknown > 0
    share, (low, high) = trigrams.below(network)
    assert share == pytest.approx(1 - trigrams.perplexity / network.perplexity) and low < share < high


def test_a_line_s_first_characters_see_the_end_of_the_line_before():
    poems = {"one": [("甲乙", "丙丁")], "two": [("戊己", "庚辛")]}
    tokenizer = Poems(poems, poems, poems, {}).tokenizer(1)
    model = scores.LineTrigrams(poems, tokenizer, False, 0.5)
    after, elsewhere = (
        model.scores([(0, source, target)]).log_probability for source, target in (("甲乙", "丙丁"), ("戊己", "丙丁"))
    )
    assert (after > elsewhere).all()  # 乙 and 甲 foresee 丙, and 乙丙 foresees 丁


def test_rhymes_by_chance_are_counted_over_all_pairs():
    firsts = ["黃河入海流", "更上一層樓", "天山", "明月", "白日依山盡"]
    seconds = ["江上秋", "天山", "間", "絕"]
    wanted = np.mean([rhymes(*pair) for pair in itertools.product(firsts, seconds)])
    assert scores.rhyme_by_chance(firsts, seconds) == pytest.approx(wanted) and wanted > 0
    assert scores.rhyme_rate(firsts[:2], ["江上秋", "天山"]) == 0.5


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A tiny trained run."""
    path, poems = tmp_path_factory.mktemp("runs") / "verse", Poems.toy(100)
    config = dataclasses.replace(recipe.TRANSFORMER, min_count=2, **recipe.SMOKE)
    recipe.train(config, path, data=poems)
    return path, poems, Poet.load(path)


def test_a_run_can_be_exported_and_says_what_was_measured(run):
    path, poems, poet = run
    trigrams = scores.LineTrigrams(poems.train, poet.tokenizer, True, "single").scores(scores.examples(poems.test))
    results = scores.measure(poet, poems, path, trigrams)
    assert results["interval"][0] < results["perplexity"] < results["interval"][1]
    assert json.loads((path / "config.json").read_text())["task"] == {
        "name": "verse", "kind": "generate", "limits": {"source": 28, "target": 8}, "score": "next_token"
    }  # fmt: skip
    rows = [line.split("\t") for line in (path / "test.tsv").read_text(encoding="utf-8").splitlines()]
    assert {len(target) for _, target in rows} == {5, 7} and {"《" in source for source, _ in rows} == {True, False}
    before = (path / "results.json").stat().st_mtime_ns
    assert scores.measure(poet, poems, path)["perplexity"] == results["perplexity"]
    assert (path / "results.json").stat().st_mtime_ns == before


def test_a_poet_writes_lines_of_the_right_length_the_same_for_a_seed(run):
    _, _, poet = run
    sources = ["天山風花春", "天山風", "天山風花春，地水雨月秋，日來高古千", "《春夜》，□□□□□□□"]
    lengths = [5, 3, 5, 7]
    for lines in (poet.next_lines(sources), poet.best_lines(sources), poet.sampled_lines(sources, 1, 3.0, 1.0)[0]):
        assert [len(line) for line in lines] == lengths
    assert poet.sampled_lines(sources, 5)[0] == poet.sampled_lines(sources, 5)[0]
    assert poet.sampled_lines(sources, 5)[0] != poet.sampled_lines(sources, 6)[0]
    poems = poet.poems(["春夜", "秋"], 5, seed=3)
    assert [[len(line) for line in poem] for poem in poems] == [[5] * 4] * 2
    assert poems == poet.poems(["春夜", "秋"], 5, seed=3)


def test_of_several_fourth_lines_one_that_rhymes_is_taken(run):
    _, _, poet = run
    one, many = (poet.poems(["春夜"] * 24, 5, 1, candidates=count, temperature=2.0, top_p=1.0) for count in (1, 8))
    rates = [scores.rhyme_rate([poem[1] for poem in own], [poem[3] for poem in own]) for own in (one, many)]
    assert rates[1] > rates[0] + 0.2


def test_of_several_lines_one_that_repeats_nothing_is_taken():
    lines, drawn = ["白日依山盡", "黃河入海流"], [("黃河入海流", -1.0), ("欲窮千里目", -9.0), ("欲窮千里路", -8.0)]
    assert _chosen(drawn, lines) == "欲窮千里路"
    fourth = [("更上一層山", -1.0), ("更上一黃樓", -9.0), ("更上一樓樓", -5.0)]  # 盡, 流: only 樓 rhymes
    assert _chosen(fourth, [*lines, "欲窮千里目"]) == "更上一樓樓"
    assert _chosen(fourth[:1], [*lines, "欲窮千里目"]) == "更上一層山"


def test_a_user_s_line_loses_its_marks_and_what_is_unknown_is_named(run):
    _, _, poet = run
    assert poet.line(" 天山， 風花春。") == ("天山風花春", [])
    assert poet.line("天龘山") == ("天龘山", ["龘"])
    for text, size in (("，。", 0), ("天山風花春日來高", 8)):
        with pytest.raises(ValueError, match=f"has {size} characters; give one line of 1 to 7"):
            poet.line(text)


@pytest.mark.parametrize(
    ("titles", "length", "candidates", "message"),
    [
        ([""], 5, 1, "the title '' has 0 characters; give 1 to 10"),
        (["一二三四五六七八九十一"], 5, 1, "has 11 characters; give 1 to 10"),
        (["春"], 9, 1, "length=9 is no length of a line"),
        (["春"], 5, 0, "candidates=0 is too few"),
    ],
)
def test_poems_that_cannot_be_written_are_refused(titles, length, candidates, message, run):
    with pytest.raises(ValueError, match=message):
        run[2].poems(titles, length, 1, candidates)


def test_a_run_begins_where_another_ended(run, tmp_path):
    path, poems, poet = run
    config = dataclasses.replace(recipe.TRANSFORMER, min_count=2, **recipe.SMOKE | {"learning_rate": 1e-9})
    model, tokenizer = recipe.train(config, tmp_path / "second", data=poems, start=path)
    assert tokenizer.vocabulary == poet.tokenizer.vocabulary
    for one, other in zip(model.weights, poet.model.weights, strict=True):
        np.testing.assert_allclose(one, other, atol=1e-5)


def test_a_model_that_is_not_known_is_refused():
    with pytest.raises(ValueError, match="model='lstm' is not known; choose 'transformer' or 'seq2seq'"):
        recipe.build(recipe.VerseConfig(model="lstm"), Poems.toy(20).tokenizer(1), 5)


def test_a_user_s_file_is_cut_into_parts_and_unequal_lines_are_counted(tmp_path):
    lines = [f"{first}{second}風花\t{second}{first}月秋" for first in "天地山水" for second in "春夏秋冬日夜"]
    path = tmp_path / "my.tsv"
    path.write_text("\n".join([*lines, "天地\t山", "天地山水"]), encoding="utf-8")
    with pytest.warns(UserWarning, match="1 not of equal length, or longer than 16 characters"):
        poems = Poems.read(path)
    pairs = [verse.alone(getattr(poems, part)) for part in ("train", "validation", "test")]
    assert sum(map(len, pairs)) == len(lines) and all(pairs) and not poems.quatrains
    path.write_text("天地\t山\n春\t夏秋\n", encoding="utf-8")
    with pytest.raises(ValueError, match="none of lines of equal length, up to 16 characters"):
        Poems.read(path)
    with pytest.raises(ValueError, match="no character comes 99 times in 16 poems"):
        Poems.toy(20).tokenizer(99)


@pytest.mark.skipif(not os.environ.get("KERAS_SEQ_DATA"), reason="needs the Tang poems: set KERAS_SEQ_DATA")
def test_some_hundred_tang_poems_teach_more_than_how_frequent_characters_are(tmp_path):
    poems = Poems.tang(1500)
    config = dataclasses.replace(
        recipe.SEQ2SEQ, epochs=2, units=48, embedding_size=64, batch_size=48, learning_rate=6e-3, min_count=20
    )
    model, tokenizer = recipe.train(config, tmp_path / "run", data=poems)
    lines = scores.examples(poems.first("test", 300))
    found = scores.network_scores(model, tokenizer, lines)
    text = [tokenizer.encode(line) for pairs in poems.train.values() for pair in pairs for line in pair]
    frequencies = KneserNey(text, range(3, len(tokenizer)), order=1)
    tokens = np.array([token for _, _, line in lines for token in tokenizer.encode(line) if token > 3])
    floor = np.exp(-frequencies.log_probability(np.zeros((len(tokens), 0), int), tokens, never=[3]).mean())
    assert found.perplexity < floor, (found.perplexity, floor)
