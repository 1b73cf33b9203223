"""The networks of tier T1 that are not chains."""

from network_parts import block, node, window

SEQUENCE_EXPAND = {
    "inputShape": {"sequence": {"positions": 5, "features": 11}},
    "nodes": [
        node("dense", 0, parameters=0),
        node("activation", 1, activation="tanh"),
        node("flatten", 2),
    ],
    "parameters": [block(1, 3, 12)],
}
SEQUENCE_REDUCE = {
    "inputShape": {"sequence": {"positions": 11, "features": 7}},
    "nodes": [
        node("dense", 0, parameters=0),
        node("activation", 1, activation="logistic"),
        node("meanOverPositions", 2),
        node("dense", 3, parameters=1),
    ],
    "parameters": [block(1, 3, 8), block(2, 5, 4)],
}
CONVOLUTION = {
    "inputShape": {"image": {"channels": 2, "height": 3, "width": 5}},
    "nodes": [
        node("convolution", 0, parameters=0, window=window((2, 1), (1, 2), (1, 0))),
        node("activation", 1, activation="tanh"),
        node("meanPooling", 2, window=window((2, 3), (2, 1))),
        node("flatten", 3),
        node("dense", 4, parameters=1),
    ],
    "parameters": [block(1, 3, 5), block(2, 5, 7)],
}
TIED = {
    "inputShape": {"vector": 3},
    "nodes": [
        node("dense", 0, parameters=0),
        node("activation", 1, activation="tanh"),
        node("dense", 2, parameters=0),
        node("activation", 3, activation="tanh"),
        node("dense", 4, parameters=1),
    ],
    "parameters": [block(1, 3, 4), block(2, 5, 4)],
}
RESIDUAL = {
    "inputShape": {"vector": 7},
    "nodes": [
        node("dense", 0, parameters=0),
        node("activation", 1, activation="softplus"),
        node("dense", 2, parameters=1),
        node("activation", 3, activation="tanh"),
        node("addition", 2, 4),
        node("dense", 5, parameters=2),
    ],
    "parameters": [block(1, 3, 8), block(2, 3, 4), block(3, 5, 4)],
}
