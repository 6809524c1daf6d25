"""What is known of each data set before it is there: what it holds, whose it is, how much, and where it comes from."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Card:
    """One data set.

    Attributes:
        name: str, for `load`; a configuration follows after a slash.
        task: str, what one learns from it.
        record: str, the keys of a record.
        counts: dict of part -> records in it.
        description, homepage, licence: str.
        citation: str, BibTeX.
        address: str, of one of its files: whether the network can give it is asked there.
        folder: str, where `KERAS_SEQ_DATA` has it.
    """

    name: str
    task: str
    record: str
    counts: dict
    description: str
    homepage: str
    licence: str
    citation: str
    address: str
    folder: str

    @property
    def raw(self):
        """bool, whether a builder of ours makes it from raw files; else it is one of tensorflow-datasets' own."""
        return self.folder.startswith("raw/")


_GITHUB = "https://raw.githubusercontent.com/"
_POEMS = dict(
    homepage="https://github.com/chinese-poetry/chinese-poetry",
    licence="MIT",
    citation="""@misc{chinese_poetry,
  title = {chinese-poetry: the most comprehensive database of Chinese poetry},
  author = {{chinese-poetry contributors}},
  year = {2016},
  url = {https://github.com/chinese-poetry/chinese-poetry}
}""",
    address=_GITHUB + "chinese-poetry/chinese-poetry/master/%E5%85%A8%E5%94%90%E8%AF%97/poet.tang.0.json",
    folder="raw/chinese_poetry",
)

_CARDS = (
    Card(
        name="clinc_oos",
        task="intents",
        record="text, label",
        counts={
            "train": 15000,
            "validation": 3000,
            "test": 4500,
            "train_oos": 100,
            "validation_oos": 100,
            "test_oos": 1000,
        },
        description="CLINC150: questions to an assistant with one of 150 intents, and questions out of its scope.",
        homepage="https://github.com/clinc/oos-eval",
        licence="CC BY 3.0",
        citation="""@inproceedings{larson2019evaluation,
  title = {An Evaluation Dataset for Intent Classification and Out-of-Scope Prediction},
  author = {Larson, Stefan and others},
  booktitle = {EMNLP-IJCNLP},
  year = {2019}
}""",
        address="https://github.com/jereliu/datasets/raw/master/clinc_oos.zip",
        folder="tfds/clinc_oos",
    ),
    Card(
        name="fashion_mnist",
        task="pictures",
        record="image, label",
        counts={"train": 55000, "validation": 5000, "test": 10000},
        description="Pictures of clothes in ten classes, 28 x 28 grey pixels; validation is carved from train.",
        homepage="https://github.com/zalandoresearch/fashion-mnist",
        licence="MIT",
        citation="""@article{xiao2017fashion,
  title = {Fashion-MNIST: a Novel Image Dataset for Benchmarking Machine Learning Algorithms},
  author = {Xiao, Han and Rasul, Kashif and Vollgraf, Roland},
  journal = {arXiv:1708.07747},
  year = {2017}
}""",
        address="http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/t10k-labels-idx1-ubyte.gz",
        folder="tfds/fashion_mnist",
    ),
    Card(
        name="spoken_digit",
        task="speech",
        record="audio, rate, label, speaker, recording",
        counts={"train": 1950, "validation": 300, "test": 250},
        description="Recordings of spoken digits by five speakers, 8 kHz mono. Recordings 0 to 4 of each speaker and "
        "digit are the customary test part; six more of each are carved from the others for validation.",
        homepage="https://github.com/Jakobovski/free-spoken-digit-dataset",
        licence="CC BY-SA 4.0",
        citation="""@misc{jackson2018fsdd,
  title = {Free Spoken Digit Dataset},
  author = {Jackson, Zohar and others},
  year = {2018},
  doi = {10.5281/zenodo.1342401}
}""",
        address="https://github.com/Jakobovski/free-spoken-digit-dataset/archive/v1.0.9.tar.gz",
        folder="tfds/spoken_digit",
    ),
    Card(
        name="universal_dependencies/en_ewt",
        task="tagging",
        record="tokens, tags",
        counts={"train": 12543, "validation": 2001, "test": 2077},
        description="UD English EWT: sentences of the web with universal parts of speech. Tokens are the syntactic "
        'words ("do", "n\'t"), which the scores count: not what they are written in ("don\'t"), nor words left out.',
        homepage="https://universaldependencies.org/treebanks/en_ewt",
        licence="CC BY-SA 4.0",
        citation="""@inproceedings{silveira2014gold,
  title = {A Gold Standard Dependency Corpus for English},
  author = {Silveira, Natalia and others},
  booktitle = {LREC},
  year = {2014}
}""",
        address=_GITHUB + "UniversalDependencies/UD_English-EWT/master/README.md",
        folder="tfds/universal_dependencies/en_ewt",
    ),
    Card(
        name="imdb_reviews",
        task="sentiment",
        record="text, label",
        counts={"train": 22500, "validation": 2500, "test": 25000},
        description="Reviews of films, positive or negative; validation is carved from train.",
        homepage="https://ai.stanford.edu/~amaas/data/sentiment",
        licence="not stated; for research",
        citation="""@inproceedings{maas2011learning,
  title = {Learning Word Vectors for Sentiment Analysis},
  author = {Maas, Andrew L. and others},
  booktitle = {ACL},
  year = {2011}
}""",
        address="http://ai.stanford.edu/~amaas/data/sentiment/aclImdb_v1.tar.gz",
        folder="tfds/imdb_reviews",
    ),
    Card(
        name="gigaword",
        task="summaries",
        record="source, target",
        counts={"train": 3803957, "validation": 189651, "test": 1951},
        description="First sentences of news and their headlines, lower-cased and cut into tokens, digits as #. All of "
        "it at once takes some gigabytes of memory: `prepared` gives the builder to read a part of it.",
        homepage="https://github.com/harvardnlp/sent-summary",
        licence="not stated; for research",
        citation="""@inproceedings{rush2015neural,
  title = {A Neural Attention Model for Abstractive Sentence Summarization},
  author = {Rush, Alexander M. and Chopra, Sumit and Weston, Jason},
  booktitle = {EMNLP},
  year = {2015}
}
@misc{graff2003english,
  title = {English Gigaword},
  author = {Graff, David and Kong, Junbo and Chen, Ke and Maeda, Kazuaki},
  publisher = {Linguistic Data Consortium},
  year = {2003}
}""",
        address="https://drive.google.com/uc?export=download&id=1USoQ8lJgN8kAWnUnRrupMGrPMLlDVqlV",
        folder="tfds/gigaword",
    ),
    Card(
        name="multi30k",
        task="translation",
        record="source, target",
        counts={"train": 29000, "validation": 1014, "test": 1000},
        description="Captions of pictures in English and German; the test part is test_2016_flickr.",
        homepage="https://github.com/multi30k/dataset",
        licence="for research, see its homepage",
        citation="""@inproceedings{elliott2016multi30k,
  title = {Multi30K: Multilingual English-German Image Descriptions},
  author = {Elliott, Desmond and Frank, Stella and Sima'an, Khalil and Specia, Lucia},
  booktitle = {Proceedings of the 5th Workshop on Vision and Language},
  year = {2016}
}""",
        address=_GITHUB + "multi30k/dataset/master/data/task1/raw/val.en.gz",
        folder="raw/multi30k",
    ),
    Card(
        name="tatoeba_cmn_eng",
        task="translation",
        record="source, target, attribution",
        counts={"train": 19895, "validation": 1112, "test": 1068},
        description="Chinese sentences and their English translations; no sentence is in two parts, on either side. "
        "The attribution must be kept with the sentences.",
        homepage="https://www.manythings.org/anki",
        licence="CC BY 2.0 FR",
        citation="""@misc{tatoeba,
  title = {Tatoeba: a collection of sentences and translations},
  author = {{Tatoeba contributors}},
  howpublished = {manythings.org/anki},
  url = {https://tatoeba.org}
}""",
        address="https://www.manythings.org/anki/cmn-eng.zip",
        folder="raw/tatoeba_cmn_eng",
    ),
    Card(
        name="chinese_poetry/line_pairs",
        task="verse",
        record="source, target, poem",
        counts={"train": 186462, "validation": 9988, "test": 10836},
        description="Tang poems: a line and the line after it, of equal length (5 or 7); no poem is in two parts.",
        **_POEMS,
    ),
    Card(
        name="chinese_poetry/quatrains",
        task="verse",
        record="title, lines, author, poem",
        counts={"train": 12798, "validation": 657, "test": 705},
        description="Tang quatrains with their titles; a poem is in the part that its line pairs are in.",
        **_POEMS,
    ),
    Card(
        name="snips",
        task="intents and slots",
        record="tokens, tags, label",
        counts={"train": 13084, "validation": 700, "test": 700},
        description="What people say to an assistant: one of 7 intents, and the slots in it as B-, I- and O tags. The "
        "published validation part is the test part; validation is carved from train.",
        homepage="https://github.com/sonos/nlu-benchmark",
        licence="CC0 1.0",
        citation="""@article{coucke2018snips,
  title = {Snips Voice Platform: an embedded Spoken Language Understanding system for private-by-design voice
    interfaces},
  author = {Coucke, Alice and others},
  journal = {arXiv:1805.10190},
  year = {2018}
}""",
        address=_GITHUB + "sonos/nlu-benchmark/master/2017-06-custom-intent-engines/RateBook/validate_RateBook.json",
        folder="raw/snips",
    ),
    Card(
        name="sgd",
        task="dialogue",
        record="source, target, context, dialogue",
        counts={"train": 105920, "validation": 5958, "test": 19384},
        description="Schema-Guided Dialogue: a user's turn, the turns before it, and the assistant's answer. The "
        "published dev part is the test part; validation is carved from train by dialogue.",
        homepage="https://github.com/google-research-datasets/dstc8-schema-guided-dialogue",
        licence="CC BY-SA 4.0",
        citation="""@inproceedings{rastogi2020towards,
  title = {Towards Scalable Multi-Domain Conversational Agents: The Schema-Guided Dialogue Dataset},
  author = {Rastogi, Abhinav and Zang, Xiaoxue and Sunkara, Srinivas and Gupta, Raghav and Khaitan, Pranav},
  booktitle = {AAAI},
  year = {2020}
}""",
        address=_GITHUB + "google-research-datasets/dstc8-schema-guided-dialogue/master/dev/dialogues_001.json",
        folder="raw/sgd",
    ),
)
CARDS = {card.name: card for card in _CARDS}


def card(name):
    """The card of a data set.

    Args:
        name: str; without a configuration, of the first one that the set has.

    Returns:
        `Card`.

    Raises:
        ValueError: if there is no such set.

    Example:
        >>> print(card("chinese_poetry").name, card("snips").licence)
        chinese_poetry/line_pairs CC0 1.0
    """
    for known in CARDS:
        if name in (known, known.split("/")[0]):
            return CARDS[known]
    raise ValueError(f"the data set {name!r} is unknown; choose one of {', '.join(CARDS)}")
