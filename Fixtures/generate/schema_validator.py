"""The part of JSON Schema that Fixtures/vectors/schema uses, in plain Python; an unknown keyword is
an error, so that the schema cannot ask for something that nobody checks."""

import re

TYPES = {
    "object": dict,
    "array": list,
    "string": str,
    "boolean": bool,
    "integer": int,
    "number": (int, float),
}
KEYWORDS = {
    *["$schema", "$id", "title", "description", "definitions", "$ref", "type", "enum", "const"],
    *["required", "properties", "additionalProperties", "items", "minItems", "pattern", "minimum"],
    "anyOf",
}


def is_type(value, name):
    return isinstance(value, TYPES[name]) and (name == "boolean" or not isinstance(value, bool))


def problems(value, schema, root=None, path="$"):
    """Sentences, one for each place where the value breaks the schema."""
    root = schema if root is None else root
    unknown = schema.keys() - KEYWORDS
    if unknown:
        raise ValueError(f"the schema uses {sorted(unknown)}, which this validator does not know")
    if "$ref" in schema:
        name = schema["$ref"].removeprefix("#/definitions/")
        return problems(value, root["definitions"][name], root, path)
    if "anyOf" in schema:
        found = [problems(value, option, root, path) for option in schema["anyOf"]]
        return [] if [] in found else min(found, key=len)
    if "type" in schema and not is_type(value, schema["type"]):
        return [f"{path} is {value!r:.40}, not of type {schema['type']}"]
    if "const" in schema and value != schema["const"]:
        return [f"{path} is {value!r:.40}, expected {schema['const']!r}"]
    if "enum" in schema and value not in schema["enum"]:
        return [f"{path} is {value!r:.40}, expected one of {schema['enum']}"]
    if "pattern" in schema and not re.search(schema["pattern"], value):
        return [f"{path} is {value!r:.40}, which {schema['pattern']} does not match"]
    if "minimum" in schema and not value >= schema["minimum"]:
        return [f"{path} is {value}, below {schema['minimum']}"]
    result = []
    if isinstance(value, dict):
        properties = schema.get("properties", {})
        result += [f"{path} has no {key}" for key in schema.get("required", []) if key not in value]
        for key, item in value.items():
            if key in properties:
                result += problems(item, properties[key], root, f"{path}.{key}")
            elif schema.get("additionalProperties", True) is False:
                result.append(f"{path} has an unknown {key}")
    if isinstance(value, list):
        if len(value) < schema.get("minItems", 0):
            result.append(f"{path} has {len(value)} items, at least {schema['minItems']} expected")
        for index, item in enumerate(value):
            result += problems(item, schema.get("items", {}), root, f"{path}[{index}]")
    return result
