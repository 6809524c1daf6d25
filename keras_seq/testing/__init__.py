"""Checks of a layer's contracts, for the layers of this library and for your own."""

from keras_seq.testing.layer_contract import LayerContractError, check_layer_contract
from keras_seq.testing.mask_contract import check_mask_contract
from keras_seq.testing.mask_violations import MaskContractError, Violation

__all__ = ["LayerContractError", "MaskContractError", "Violation", "check_layer_contract", "check_mask_contract"]
