"""What of a vocabulary the manifest lists, so that a port needs no library."""

import json

import pytest

from export.describe import _characters
from keras_seq.data.tokenizer import Tokenizer

TEXTS = ["ab ba", "b a 3"]


def listed(tmp_path, **tokenizers):
    for role, tokenizer in tokenizers.items():
        tokenizer.save(tmp_path / f"{role}.tokenizer.json")
    return _characters(tmp_path, {role: f"{role}.tokenizer.json" for role in tokenizers})


def test_characters_are_listed_at_the_places_of_their_ids(tmp_path):
    source, target = Tokenizer.train(TEXTS), Tokenizer.train(["0123"])
    found = listed(tmp_path, source=source, target=target)
    assert found == {"source": source.vocabulary, "target": target.vocabulary}
    assert [found["source"][number] for number in source.encode("ab")] == ["a", "b"]


@pytest.mark.parametrize(("kind", "texts"), [("token", TEXTS), ("token", ["a b c"]), ("word", ["a"]), ("bpe", TEXTS)])
def test_what_is_not_cut_into_characters_is_not_listed_though_its_pieces_be_single(tmp_path, kind, texts):
    found = listed(tmp_path, source=Tokenizer.train(texts, kind=kind), target=Tokenizer.train(TEXTS))
    assert list(found) == ["target"]


def test_a_tokenizer_of_somebody_else_is_not_listed(tmp_path):
    tokenizer = Tokenizer.train(TEXTS)
    tokenizer.save(tmp_path / "source.tokenizer.json")
    content = json.loads((tmp_path / "source.tokenizer.json").read_text(encoding="utf-8"))
    content["pre_tokenizer"] = None
    (tmp_path / "source.tokenizer.json").write_text(json.dumps(content), encoding="utf-8")
    assert _characters(tmp_path, {"source": "source.tokenizer.json"}) == {}
