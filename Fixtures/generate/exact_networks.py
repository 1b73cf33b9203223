"""The networks of tier T0 that are not chains."""

from network_parts import block, node, window

RELU = {"activation": "relu"}
SEQUENCE_FLATTEN = {
    "inputShape": {"sequence": {"positions": 5, "features": 11}},
    "nodes": [
        node("dense", 0, parameters=0),
        node("activation", 1, **RELU),
        node("flatten", 2),
    ],
    "parameters": [block(1, 3, 12)],
}
SEQUENCE_LINEAR = {
    "inputShape": {"sequence": {"positions": 5, "features": 11}},
    "nodes": [node("dense", 0, parameters=0), node("flatten", 1)],
    "parameters": [block(1, 3, 12)],
}
SEQUENCE_MEAN = {
    "inputShape": {"sequence": {"positions": 4, "features": 5}},
    "nodes": [
        node("dense", 0, parameters=0),
        node("activation", 1, **RELU),
        node("meanOverPositions", 2),
        node("dense", 3, parameters=1),
    ],
    "parameters": [block(1, 3, 6), block(2, 7, 4)],
}
SEQUENCE_MEAN_LINEAR = {
    "inputShape": {"sequence": {"positions": 4, "features": 5}},
    "nodes": [node("dense", 0, parameters=0), node("meanOverPositions", 1)],
    "parameters": [block(1, 3, 6)],
}
TIED = {
    "inputShape": {"vector": 3},
    "nodes": [
        node("dense", 0, parameters=0),
        node("activation", 1, **RELU),
        node("dense", 2, parameters=0),
        node("activation", 3, **RELU),
        node("dense", 4, parameters=1),
    ],
    "parameters": [block(1, 3, 4), block(2, 5, 4)],
}
RESIDUAL = {
    "inputShape": {"vector": 7},
    "nodes": [
        node("dense", 0, parameters=0),
        node("activation", 1, **RELU),
        node("dense", 2, parameters=1),
        node("addition", 2, 3),
        node("dense", 4, parameters=2),
    ],
    "parameters": [block(1, 3, 8), block(2, 3, 4), block(3, 5, 4)],
}
CONVOLUTION = {
    "inputShape": {"image": {"channels": 2, "height": 3, "width": 5}},
    "nodes": [
        node("convolution", 0, parameters=0, window=window((2, 3), (1, 2), (1, 0))),
        node("activation", 1, **RELU),
        node("flatten", 2),
    ],
    "parameters": [block(1, 1, 13)],
}
POOLED_CONVOLUTION = {
    "inputShape": {"image": {"channels": 1, "height": 5, "width": 3}},
    "nodes": [
        node("convolution", 0, parameters=0, window=window((2, 2))),
        node("activation", 1, **RELU),
        node("meanPooling", 2, window=window((2, 2), (2, 1))),
        node("flatten", 3),
        node("dense", 4, parameters=1),
    ],
    "parameters": [block(1, 3, 5), block(2, 5, 7)],
}
