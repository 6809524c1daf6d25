"""tensorflow-datasets builders of the sets that it has none of: the same files as its own, `tfds.builder("snips")`.

They read the raw files of a folder, `tfds.download.DownloadConfig(manual_dir=FOLDER)`, or download them. What they
write is whole or not there: tensorflow-datasets writes beside and renames.
"""

import tensorflow_datasets as tfds

from keras_seq.data.catalogue import chinese_poetry, multi30k, sgd, snips, tatoeba_cmn_eng
from keras_seq.data.catalogue.cards import card
from keras_seq.data.catalogue.raw import Raw

_text = tfds.features.Text
_texts = tfds.features.Sequence


class _RawBuilder(tfds.core.GeneratorBasedBuilder, skip_registration=True):
    """Examples of all parts come from one function of the raw files."""

    MANUAL_DOWNLOAD_INSTRUCTIONS = "Not needed: without a manual_dir the files are downloaded."

    def _describe(self, name, features):
        known = card(name)
        return tfds.core.DatasetInfo(
            builder=self,
            description=known.description,
            disable_shuffling=True,
            features=tfds.features.FeaturesDict(features),
            homepage=known.homepage,
            citation=known.citation,
            license=known.licence,
        )

    def _parts(self, dl_manager, module, examples):
        try:
            raw = Raw.in_folder(dl_manager.manual_dir, module.PATTERNS)
        except AssertionError:  # how tensorflow-datasets says that there is no such folder
            raw = Raw("the download", dl_manager.download(module.URLS))
        parts = {}
        for part, example in examples(raw):
            parts.setdefault(part, []).append(example)
        return {part: enumerate(parts[part]) for part in sorted(parts)}

    def _generate_examples(self):
        raise NotImplementedError("the parts are generators already")


class Multi30k(_RawBuilder):
    """Captions in English and German."""

    VERSION = tfds.core.Version("1.0.0")

    def _info(self):
        return self._describe("multi30k", {"en": _text(), "de": _text()})

    def _split_generators(self, dl_manager):
        return self._parts(dl_manager, multi30k, multi30k.examples)


class TatoebaCmnEng(_RawBuilder):
    """Sentences in English and Chinese."""

    VERSION = tfds.core.Version("1.0.0")

    def _info(self):
        return self._describe("tatoeba_cmn_eng", {"en": _text(), "zh": _text(), "attribution": _text()})

    def _split_generators(self, dl_manager):
        return self._parts(dl_manager, tatoeba_cmn_eng, tatoeba_cmn_eng.examples)


class ChinesePoetry(_RawBuilder):
    """Tang poems, as pairs of lines (an example a poem) or as quatrains."""

    VERSION = tfds.core.Version("1.0.0")
    BUILDER_CONFIGS = (
        tfds.core.BuilderConfig(name="line_pairs", description="Pairs of lines of equal length."),
        tfds.core.BuilderConfig(name="quatrains", description="Poems of four lines with their titles."),
    )

    def _info(self):
        features = {
            "line_pairs": {"poem": _text(), "source": _texts(_text()), "target": _texts(_text())},
            "quatrains": {"poem": _text(), "author": _text(), "title": _text(), "lines": _texts(_text())},
        }
        name = self.builder_config.name
        return self._describe(f"chinese_poetry/{name}", features[name])

    def _split_generators(self, dl_manager):
        return self._parts(dl_manager, chinese_poetry, getattr(chinese_poetry, self.builder_config.name))


class Snips(_RawBuilder):
    """Sentences with an intent, and slots as tags of their tokens."""

    VERSION = tfds.core.Version("1.0.0")

    def _info(self):
        label = tfds.features.ClassLabel(names=snips.INTENTS)
        return self._describe("snips", {"tokens": _texts(_text()), "tags": _texts(_text()), "label": label})

    def _split_generators(self, dl_manager):
        return self._parts(dl_manager, snips, snips.examples)


class Sgd(_RawBuilder):
    """Dialogues: what the user says, and what the system answers."""

    VERSION = tfds.core.Version("1.0.0")

    def _info(self):
        return self._describe("sgd", {"dialogue": _text(), "user": _texts(_text()), "system": _texts(_text())})

    def _split_generators(self, dl_manager):
        return self._parts(dl_manager, sgd, sgd.examples)


MODULES = {
    module.__name__.rpartition(".")[2]: module for module in (multi30k, tatoeba_cmn_eng, chinese_poetry, snips, sgd)
}
BUILDERS = {
    "multi30k": Multi30k,
    "tatoeba_cmn_eng": TatoebaCmnEng,
    "chinese_poetry": ChinesePoetry,
    "snips": Snips,
    "sgd": Sgd,
}
