import json
import random
import unicodedata

import pytest
import tokenizers
from hypothesis import given, settings
from hypothesis import strategies as st

from keras_seq.data.tokenizer import Tokenizer

TEXTS = [
    "9 mai 1998",
    "2018年5月3日",
    "Ünïcode\r\n\tnew lines",
    "e\u0323\u0301 👩\u200d👧 🇩🇪",
    "ΣΑΣ ﬁ ①",
    "İstanbul <pad><end>",
]
ANY_TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=30)
OPTIONS = [
    dict(normalization=normalization, lowercase=lowercase, collapse_spaces=collapse)
    for normalization in ("nfc", "nfkc")
    for lowercase in (False, True)
    for collapse in (False, True)
]


@pytest.mark.parametrize("kind", ["character", "word", "token", "bpe"])
@pytest.mark.parametrize("options", OPTIONS)
def test_decoding_gives_the_normalised_text(kind, options):
    tokenizer = Tokenizer.train(TEXTS, kind=kind, **options)
    for text, ids in zip(TEXTS, tokenizer.encode_batch(TEXTS), strict=True):
        assert ids == tokenizer.encode(text)
        assert min(ids) > Tokenizer.UNKNOWN
        assert tokenizer.decode(ids) == tokenizer.normalize(text)


@pytest.mark.parametrize("kind", ["character", "word", "token", "bpe"])
@settings(max_examples=60, deadline=None)
@given(texts=st.lists(ANY_TEXT.filter(str.strip), min_size=1, max_size=3), options=st.sampled_from(OPTIONS))
def test_round_trip_of_any_text_in_the_vocabulary(kind, texts, options):
    tokenizer = Tokenizer.train(texts, kind=kind, **options)
    for text in texts:
        assert tokenizer.decode(tokenizer.encode(text)) == tokenizer.normalize(text)


@settings(max_examples=200, deadline=None)
@given(text=ANY_TEXT, options=st.sampled_from(OPTIONS))
def test_normalising_twice_changes_nothing(text, options):
    tokenizer = Tokenizer.train(["a"], **options)
    assert tokenizer.normalize(tokenizer.normalize(text)) == tokenizer.normalize(text)


@settings(max_examples=100, deadline=None)
@given(text=ANY_TEXT, kind=st.sampled_from(["character", "word", "token", "bpe"]))
def test_no_text_encodes_to_a_special_id(text, kind):
    tokenizer = TRAINED[kind]
    for hostile in (text, f"<pad>{text}<end><start>", f" <end> {text}"):
        assert not {Tokenizer.PAD, Tokenizer.START, Tokenizer.END} & set(tokenizer.encode(hostile))


TRAINED = {kind: Tokenizer.train(TEXTS, kind=kind) for kind in ("character", "word", "token", "bpe")}


def test_characters_are_code_points_new_lines_and_emoji_included():
    tokenizer = Tokenizer.train(["a\nb\r\n👩\u200d👧 e\u0323\u0301"])
    assert len(tokenizer.encode("a\nb\r\n👩\u200d👧")) == 8
    assert len(tokenizer.encode("e\u0301")) == 1
    assert set(tokenizer.vocabulary[4:]) == set(unicodedata.normalize("NFC", "a\nb\r\n👩\u200d👧 e\u0323\u0301"))


def test_tokens_are_what_stands_between_spaces():
    tokenizer = Tokenizer.train(["do n't , U.S. do", "a-b (c) ,"], kind="token")
    assert tokenizer.vocabulary[4:] == [",", "do", "(c)", "U.S.", "a-b", "n't"]
    text = "do  n't\t, U.S.\u3000(c) "
    assert tokenizer.encode(text) == [5, 9, 4, 7, 6]
    assert [text[begin:end] for begin, end in tokenizer.offsets(text)] == ["do", "n't", ",", "U.S.", "(c)"]
    assert tokenizer.decode(tokenizer.encode(text)) == "do n't , U.S. (c)"
    assert tokenizer.encode("do not") == [5, Tokenizer.UNKNOWN]
    assert Tokenizer.train(["Do DO do not"], kind="token", lowercase=True).encode("DO") == [4]


def test_a_token_that_looks_special_is_a_token_like_others():
    tokenizer = Tokenizer.train(["<pad> <PAD> <unknown>"], kind="token", lowercase=True)
    assert tokenizer.vocabulary[4:] == ["‹pad>", "‹unknown>"]
    text = "<pad> <END> <Unknown> b<pad>"
    assert tokenizer.encode(text) == [4, 3, 5, 3]
    assert [text[begin:end] for begin, end in tokenizer.offsets(text)] == text.split()
    assert tokenizer.decode([4, 5]) == tokenizer.normalize("<PAD> <unknown>")


def test_vocabulary_is_ordered_by_frequency_then_code_point_whatever_the_order_of_texts():
    tokenizer = Tokenizer.train(["bbb", "ca", "ac"])
    assert tokenizer.vocabulary == ["<pad>", "<start>", "<end>", "<unknown>", "b", "a", "c"]
    for kind in ("character", "word", "token", "bpe"):
        shuffled = random.Random(0).sample(TEXTS, len(TEXTS))
        assert Tokenizer.train(shuffled, kind=kind).vocabulary == TRAINED[kind].vocabulary


def test_vocabulary_size_cuts_the_rarest():
    tokenizer = Tokenizer.train(["aaabbc"], vocabulary_size=6)
    assert tokenizer.vocabulary_size == len(tokenizer) == 6
    assert tokenizer.encode("abc") == [4, 5, Tokenizer.UNKNOWN]
    assert Tokenizer.train(["ab ab ab"], kind="bpe", vocabulary_size=262).vocabulary_size == 262


def test_decode_stops_at_the_end_and_drops_special_ids():
    tokenizer = Tokenizer.train(["abc"])
    assert tokenizer.decode([1, 4, 3, 5, 0, 6, 2, 4]) == "abc"
    assert tokenizer.decode([]) == ""


@pytest.mark.parametrize(
    ("options", "text", "normal"),
    [
        (dict(), " E\u0301 A ", " É A "),
        (dict(lowercase=True), "ΣΑΣ É", "σασ é"),
        (dict(normalization="nfkc"), "２０１８ ﬁ", "2018 fi"),
        (dict(collapse_spaces=True), " \t a\u3000\n b\xa0", "a b"),
        (dict(normalization="nfkc", lowercase=True, collapse_spaces=True), "  Ｍai\u2003 9 ", "mai 9"),
    ],
)
def test_normalisation(options, text, normal):
    assert Tokenizer.train(["x"], **options).normalize(text) == normal


def test_loading_gives_what_was_saved(tmp_path):
    for kind, tokenizer in TRAINED.items():
        path = tmp_path / f"{kind}.tokenizer.json"
        tokenizer.save(path)
        again = Tokenizer.load(path)
        assert again.vocabulary == tokenizer.vocabulary
        assert again.encode_batch(TEXTS) == tokenizer.encode_batch(TEXTS)
        plain = tokenizers.Tokenizer.from_file(str(path))
        assert [plain.encode(text).ids for text in TEXTS] == tokenizer.encode_batch(TEXTS)
        assert plain.decode(tokenizer.encode(TEXTS[0])) == TEXTS[0]
    assert len(list(tmp_path.iterdir())) == len(TRAINED)


@pytest.mark.parametrize("bad", ["a\ud800b", "\udfff", "a\0"])
def test_what_cannot_be_encoded_is_refused(bad):
    tokenizer = TRAINED["character"]
    for call in (tokenizer.encode, tokenizer.normalize):
        with pytest.raises(ValueError, match="text has (the lone surrogate U\\+D|NUL)"):
            call(bad)
    with pytest.raises(ValueError, match=r"texts\[1\] has"):
        tokenizer.encode_batch(["a", bad])
    with pytest.raises(ValueError, match=r"texts\[0\] has"):
        Tokenizer.train([bad])


@pytest.mark.parametrize("bad", [None, 7, b"abc", ["a"]])
def test_what_is_not_text_is_refused(bad):
    with pytest.raises(ValueError, match="wanted a str"):
        TRAINED["character"].encode(bad)


def test_one_text_in_place_of_many_is_refused():
    with pytest.raises(ValueError, match="put it into a list"):
        TRAINED["character"].encode_batch("abc")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (dict(kind="syllable"), "choose one of 'character', 'word', 'token', 'bpe'"),
        (dict(normalization="nfd"), "choose one of 'nfc', 'nfkc'"),
        (dict(vocabulary_size=4), "5 at least"),
        (dict(kind="bpe", vocabulary_size=100), "260 at least"),
    ],
)
def test_unknown_options_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        Tokenizer.train(["abc"], **options)


def test_training_on_nothing_is_refused():
    for texts in ([], [""]):
        with pytest.raises(ValueError, match="nothing to learn from"):
            Tokenizer.train(texts)


@pytest.mark.parametrize("bad", [-1, 10_000])
def test_an_id_outside_the_vocabulary_is_refused(bad):
    with pytest.raises(ValueError, match="outside the vocabulary"):
        TRAINED["character"].decode([4, bad])


def test_files_that_are_no_tokenizers_are_refused(tmp_path):
    path = tmp_path / "tokenizer.json"
    with pytest.raises(FileNotFoundError, match="no tokenizer at"):
        Tokenizer.load(path)
    TRAINED["character"].save(path)
    whole = path.read_text(encoding="utf-8")
    contents = json.loads(whole)
    other = dict(contents, model=dict(contents["model"], vocab={"<unknown>": 0, "a": 1}))
    gaps = dict(contents, model=dict(contents["model"], vocab={**contents["model"]["vocab"], "extra": 999}))
    for content, message in [
        (whole[:200], "not whole JSON"),
        ("", "not whole JSON"),
        ("{}", "not a tokenizer"),
        ("[1, 2]", "not a tokenizer"),
        (json.dumps(other), "vocabulary begins with"),
        (json.dumps(gaps), "gaps"),
    ]:
        path.write_text(content, encoding="utf-8")
        with pytest.raises(ValueError, match=message):
            Tokenizer.load(path)
    path.write_bytes(b"\xff\xfe\0binary")
    with pytest.raises(ValueError, match="not whole JSON"):
        Tokenizer.load(path)
