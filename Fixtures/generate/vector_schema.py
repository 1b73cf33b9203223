"""The JSON schema of a test vector; vectors.py writes it to Fixtures/vectors/schema."""

from case_writer import CONVENTIONS, SCHEMA_VERSION, STAGES

TEXT = {"type": "string", "pattern": "."}
HASH = {"type": "string", "pattern": "^[0-9a-f]{64}$"}
MISTAKE = {"type": "string", "pattern": "^M-[0-9]{2}$"}
COUNT = {"type": "integer", "minimum": 0}


def record(required, **optional):
    """An object with exactly these keys."""
    return {
        "type": "object",
        "required": list(required),
        "properties": {**required, **optional},
        "additionalProperties": False,
    }


def items(schema, at_least=1):
    return {"type": "array", "minItems": at_least, "items": schema}


ARRAY = record(
    {
        "name": {"type": "string", "pattern": "^[A-Za-z0-9.+-]+$"},
        "shape": items(COUNT, 0),
        "sha256": HASH,
    },
    dtype={"const": "i8"},
    limit={"type": "number", "minimum": 0},
    n=COUNT,
    kappa={"type": "number", "minimum": 1},
    divisor={"type": "integer", "minimum": 1},
)
STAGE = record(
    {
        "name": {"enum": STAGES},
        "derivedFrom": items({"enum": STAGES}, 0),
        "gauge": {"enum": ["none", "kron-scale", "eigvec-sign", "eigvec-subspace", "order"]},
        "compare": record(
            {
                "metric": {"enum": ["bits", "relative-frobenius", "standard-errors"]},
                "threshold": {"type": "number", "minimum": 0},
                "ulp": {"const": "2^-52"},
                "scaleBy": {"enum": ["none", "n", "kappa*n"]},
            }
        ),
        "certifiedDigits": {"enum": ["exact", 17, "float64"]},
        "arrays": items(ARRAY),
    }
)
NODE = record(
    {
        "operation": {
            "enum": [
                *["dense", "convolution", "activation", "meanPooling", "meanOverPositions"],
                *["flatten", "addition"],
            ]
        },
        "inputs": items(COUNT),
    },
    parameters=COUNT,
    activation={"enum": ["identity", "tanh", "logistic", "relu", "softplus"]},
    window=record({key: items(COUNT, 2) for key in ("kernel", "stride", "padding")}),
)
NETWORK = record(
    {
        "inputShape": {"type": "object"},
        "nodes": items(NODE),
        "parameters": items(
            record({"name": TEXT, "rows": COUNT, "columns": COUNT, "bias": {"type": "boolean"}})
        ),
    }
)
LIKELIHOOD = record(
    {"name": {"enum": ["categorical", "gaussian", "bernoulli"]}},
    variance={"type": "number", "minimum": 0},
    probabilities={"const": "given"},
)
MATRICES = record({"kind": {"enum": ["factors", "matrix"]}, "dA": COUNT, "dG": COUNT})
POSITIVE = {"type": "integer", "minimum": 1}
NUMBER = {"type": "number", "minimum": 0}


def numbers(*names):
    return dict.fromkeys(names, NUMBER)


SCHEDULE = {
    "anyOf": [
        record({"schedule": {"const": "constant"}, **numbers("value")}),
        record({"schedule": {"const": "polynomial"}, **numbers("target", "end", "power")}),
        record({"schedule": {"const": "exponential"}, **numbers("initial", "rate")}),
    ]
}
AVERAGES = ["fresh", "martens-grosse", "weight-normalized", "identity-start"]
TRAINING = record(
    {
        "preconditioner": {"enum": ["kronecker", "ekfac", "conjugate-gradients"]},
        "fisher": {"enum": ["exact", "empirical"]},
        "learningRate": {"$ref": "#/definitions/schedule"},
        "damping": {"$ref": "#/definitions/schedule"},
        "stepsPerEpoch": POSITIVE,
        **numbers("momentum", "weightDecay"),
        "nesterov": {"type": "boolean"},
        "decayOn": {"enum": ["gradient", "direction"]},
        "keptSteps": items(COUNT),
    },
    averaging=record({"kind": {"enum": AVERAGES}}, decay=NUMBER),
    factorInterval=POSITIVE,
    inverseInterval=POSITIVE,
    rule={"enum": ["sqrt", "factor", "pi"]},
    thresholds=items(NUMBER, 2),
    reading={"enum": ["a", "b"]},
    reference={"enum": ["last-accepted", "last-computed"]},
    split=POSITIVE,
    basisInterval=POSITIVE,
    momentDecay=NUMBER,
    restart={"enum": ["batch", "kfac"]},
    operator={"enum": ["kronecker", "exact-block"]},
    iterations=POSITIVE,
    start={"enum": ["warm", "cold"]},
)
DECISION = record(
    {"step": COUNT, "layer": TEXT, "action": {"enum": ["update", "keep", "stop"]}},
    change=NUMBER,
    margin=NUMBER,
)

SCHEMA = {
    "$schema": "http://json-schema.org/draft-07/schema#",
    "$id": "vector-1.schema.json",
    "title": "A test vector of curvature matrices",
    **record(
        {
            "$schema": {"const": "../../../schema/vector-1.schema.json"},
            "schemaVersion": {"const": SCHEMA_VERSION},
            "id": {"type": "string", "pattern": "^t[0-4]/[a-z0-9-]+$"},
            "tier": {"enum": ["T0", "T1", "T2", "T3", "T4"]},
            "status": {"enum": ["active", "deprecated"]},
            "title": TEXT,
            "purpose": TEXT,
            "flags": items(MISTAKE, 0),
            "model": {"anyOf": [record({"network": NETWORK, "likelihood": LIKELIHOOD}), MATRICES]},
            "data": record(
                {"source": TEXT, "sizes": TEXT},
                N=COUNT,
                C=COUNT,
                exactBits=COUNT,
                exactInFloat32={"type": "boolean"},
                samples=COUNT,
            ),
            "conventions": record({key: TEXT for key in CONVENTIONS}),
            "provenance": record(
                {
                    "generator": TEXT,
                    "version": TEXT,
                    "license": TEXT,
                    "arithmetic": TEXT,
                    "versions": {"type": "object"},
                    "references": items(TEXT),
                }
            ),
            "files": items(
                record({"name": {"const": "arrays.npz"}, "bytes": COUNT, "sha256": HASH})
            ),
            "stages": items(STAGE),
        },
        alike=items(record({"mistakes": items(MISTAKE), "reason": TEXT})),
        training=TRAINING,
        decisions=items(DECISION),
    ),
    "definitions": {"schedule": SCHEDULE},
}
