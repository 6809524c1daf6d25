"""Which Keras layer a constant or an operator of an artefact comes from.

Converters transpose, reshape and reorder weights and rename everything, but they keep the numbers: a constant is known
by its numbers in ascending order. Only the scale of a normalisation is multiplied into the rows of the product behind
it: such a constant is known by how large each row's sum is beside its largest number.

Operators keep the name scope of the layer that made them, with numbers added where Keras entered it again; a constant
that is known tells what its operator's scope means, and with it that scope's others.
"""

import hashlib
import re

import numpy as np

# Smaller constants may be alike by chance: zeros, ones, shapes.
LEAST_NUMBERS = 16
# Parts of an operator's name that say what it computes, not where.
_OPERATIONS = re.compile(
    r"(while|Cast|Tensordot|MatMul|ReadVariableOp|Reshape|Transpose|transpose|einsum|Einsum|convolution|stack|PyFunc"
    r"|body|cond|Relu|BiasAdd|Add|add|Mul|mul)[_\d]*"
)


def names_of(variables):
    """The layers of a model by the numbers of their weights.

    Args:
        variables: list of `keras.Variable`.

    Returns:
        dict of `equal`, fingerprint -> layer, such as "decoder/attention/query_map", and `scaled`, list of (what
        scaling keeps, layer); JSON can hold it.
    """
    equal, scaled, tops = {}, [], {variable.path.split("/")[0] for variable in variables if "/" in variable.path}
    # A Sequential model puts its own name first.
    own = f"{tops.pop()}/" if len(tops) == 1 and all(variable.path.count("/") > 1 for variable in variables) else ""
    for variable in variables:
        array = np.asarray(variable.numpy())
        if array.ndim < 2 or array.size < LEAST_NUMBERS or array.dtype.kind not in "fV":
            continue
        layer = _layer(variable.path.removeprefix(own))
        array = array.astype("float32")
        for piece in _pieces(array):
            equal.setdefault(fingerprint(piece), layer)
        # A layer of several heads has its kernel `(features, heads, size)` multiplied as a matrix.
        scaled.append((_row_shape(array.reshape(len(array), -1)), layer))
    return {"equal": equal, "scaled": scaled}


def fingerprint(array):
    """The same for all arrays of the same numbers, in whatever order and shape."""
    ordered = np.sort(np.asarray(array, "float32"), axis=None)
    return hashlib.sha1(ordered.tobytes()).hexdigest()


def _row_shape(matrix):
    """Numbers that stay the same if rows are multiplied: how many rows, their length, and how their numbers spread."""
    largest = np.abs(matrix).max(axis=1)
    spread = np.abs(matrix).sum(axis=1)[largest > 0] / largest[largest > 0]
    if not len(spread):
        return [*matrix.shape, 0.0, 0.0, 0.0, 0.0]
    return [*matrix.shape, *(float(of(spread)) for of in (np.min, np.mean, np.max, np.std))]


def _layer(path):
    parts = path.split("/")[:-1]
    if len(parts) > 1 and parts[-1].endswith("_cell"):
        parts.pop()
    return "/".join(parts) or path


def _pieces(array):
    """A weight as converters cut it: whole, and what a GRU multiplies before and after its reset gate."""
    yield array
    if array.ndim == 2 and array.shape[1] % 3 == 0 and array.size >= 3 * LEAST_NUMBERS:
        third = array.shape[1] // 3
        yield array[:, : 2 * third]
        yield array[:, 2 * third :]


class LayerNames:
    """Names the layers of an artefact's constants and operators.

    Args:
        names: what `names_of` returned, or None: then operators' scopes are all there is.
    """

    def __init__(self, names=None):
        names = names or {"equal": {}, "scaled": []}
        self._equal = names["equal"]
        self._scaled = [(np.asarray(shape, "float64"), layer) for shape, layer in names["scaled"]]
        self._scopes = {}  # parts of a scope -> parts of a layer

    def of_weight(self, array):
        """The layer of a constant, or None if its numbers are not known."""
        if array.ndim < 2 or array.size < LEAST_NUMBERS or not self._equal:
            return None
        found = self._equal.get(fingerprint(array))
        if found or array.ndim < 3:
            return found or self._of_scaled(array)
        # Both directions of a layer may be in one constant.
        layers = {self.of_weight(part) if part.ndim > 1 else None for part in array}
        return None if None in layers else _common(layers)

    def _of_scaled(self, matrix):
        for own in map(_row_shape, (matrix, matrix.T)):
            for shape, layer in self._scaled:
                if np.allclose(own, shape, rtol=1e-4, atol=1e-5):
                    return layer
        return None

    def learn(self, operator, layer):
        """Tells that an operator of this name is of this layer."""
        scope, parts = _scope(operator), layer.split("/")
        at = next((i for i in reversed(range(len(scope))) if _is_numbered(scope[i], parts[-1])), None)
        while at is not None and at >= 0 and parts and _is_numbered(scope[at], parts[-1]):
            self._scopes.setdefault(tuple(scope[: at + 1]), list(parts))
            parts, at = parts[:-1], at - 1

    def of_operator(self, operator):
        """The layer of an operator, or its scope without what the tracing added, where no layer is known."""
        scope = _scope(operator)
        for end in range(len(scope), 0, -1):
            if tuple(scope[:end]) in self._scopes:
                return "/".join(self._scopes[tuple(scope[:end])])
        within = [part for part in scope[1:-1] if not _OPERATIONS.fullmatch(part)] or scope[:1]
        return "/".join(re.sub(r"_\d+$", "", part) for part in within) or "outputs"


def _scope(operator):
    """The parts of the name of an operator, of the first one where several were fused."""
    parts = operator.split(";")[0].split("/")
    return [part for part in parts if part and not re.match(r"(Stateful)?PartitionedCall", part)]


def _is_numbered(part, name):
    return re.fullmatch(re.escape(name) + r"(_\d+)*", part) is not None


def _common(layers):
    """What the paths of some layers begin with; the first path if nothing."""
    paths = sorted(layers)
    shared = []
    for parts in zip(*(path.split("/") for path in paths), strict=False):
        if len(set(parts)) > 1:
            break
        shared.append(parts[0])
    return "/".join(shared) or paths[0]
