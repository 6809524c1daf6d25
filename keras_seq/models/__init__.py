"""Functional Keras models built from the layers."""

from keras_seq.models.captioner import Captioner, TransformerCaptioner
from keras_seq.models.recurrent import Classifier, Tagger
from keras_seq.models.seq2seq import Seq2Seq
from keras_seq.models.speech import CTCRecognizer, SpeechToText
from keras_seq.models.text_classifier import TextClassifier
from keras_seq.models.transformer import Transformer
from keras_seq.models.verse import EqualLength
from keras_seq.models.word_tagger import WordTagger

__all__ = [
    "CTCRecognizer",
    "Captioner",
    "Classifier",
    "EqualLength",
    "Seq2Seq",
    "SpeechToText",
    "Tagger",
    "TextClassifier",
    "Transformer",
    "TransformerCaptioner",
    "WordTagger",
]
