"""Weights of `keras_seq.models.Transformer` in CTranslate2's layout, as its specification describes it."""

from pathlib import Path

import numpy as np

SPECIAL = ["<pad>", "<s>", "</s>", "<unk>"]  # ids 0 to 3, as everywhere here


def write(model, folder):
    """Writes a folder that `ctranslate2.Translator` opens; token `w17` is id 17.

    Args:
        model: `keras_seq.models.Transformer` with norm="pre" and relu.
        folder: path of a folder that is not there yet.
    """
    from ctranslate2 import specs

    config, parts = model.get_config(), model._parts
    spec = specs.TransformerSpec.from_config(config["num_layers"], config["num_heads"], pre_norm=True)
    for side in ("encoder", "decoder"):
        own = getattr(spec, side)
        embedding = own.embeddings[0] if side == "encoder" else own.embeddings
        embedding.weight = _array(parts["source_embedding" if side == "encoder" else "target_embedding"].embeddings)
        own.position_encodings.encodings = np.asarray(model._positions, "float32")
        _normalization(own.layer_norm, parts[side]._norm)
    for own, layer in zip(spec.encoder.layer, parts["encoder"]._stack, strict=True):
        _self_attention(own.self_attention, layer._self_attention)
        _feed_forward(own.ffn, layer._feed_forward)
    for own, layer in zip(spec.decoder.layer, parts["decoder"]._stack, strict=True):
        _self_attention(own.self_attention, layer._self_attention)
        _cross_attention(own.attention, layer._cross_attention)
        _feed_forward(own.ffn, layer._feed_forward)
    _linear(spec.decoder.projection, parts["readout"]._linear)
    for side in ("source", "target"):
        size = config[f"{side}_vocabulary_size"]
        vocabulary = SPECIAL + [f"w{token}" for token in range(len(SPECIAL), size)]
        getattr(spec, f"register_{side}_vocabulary")(vocabulary)
    spec.config.add_source_bos = spec.config.add_source_eos = False
    spec.config.bos_token, spec.config.eos_token, spec.config.unk_token = "<s>", "</s>", "<unk>"
    spec.config.decoder_start_token = "<s>"
    spec.validate()
    spec.optimize("float32")
    Path(folder).mkdir()
    spec.save(str(folder))


def _self_attention(own, residual):
    attention = residual.sublayer
    _normalization(own.layer_norm, residual._norm)
    _linear(own.linear[0], attention._query, attention._key, attention._value)
    _linear(own.linear[1], attention._output)


def _cross_attention(own, residual):
    attention = residual.sublayer
    _normalization(own.layer_norm, residual._norm)
    _linear(own.linear[0], attention._query)
    _linear(own.linear[1], attention._key, attention._value)
    _linear(own.linear[2], attention._output)


def _feed_forward(own, residual):
    _normalization(own.layer_norm, residual._norm)
    _linear(own.linear_0, residual.sublayer._hidden)
    _linear(own.linear_1, residual.sublayer._output)


def _linear(own, *dense):
    """One linear map of several side by side; CTranslate2's weight is `(outputs, inputs)`."""
    own.weight = np.concatenate([_array(layer.kernel).T for layer in dense])
    own.bias = np.concatenate([_array(layer.bias) for layer in dense])


def _normalization(own, layer):
    own.gamma, own.beta = _array(layer.gain), _array(layer.bias)


def _array(variable):
    return np.asarray(variable, "float32")
