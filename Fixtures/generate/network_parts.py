"""The words a network of a test vector is described in, and the reasons of its sizes."""


def block(index, rows, columns):
    return {"name": f"layer{index}", "rows": rows, "columns": columns, "bias": True}


def node(operation, *inputs, **more):
    return {"operation": operation, **more, "inputs": list(inputs)}


def window(kernel, stride=(1, 1), padding=(0, 0)):
    return {"kernel": list(kernel), "stride": list(stride), "padding": list(padding)}


EXCEPTIONS = {
    "three layers": "three small layers, so that the whole Fisher matrix stays small",
    "one example": "N = 1 on purpose; widths are distinct primes",
    "one": "every width is 1 on purpose",
    "duplicated": "N = 22 on purpose, 11 examples twice; widths are distinct primes",
    "dyadic": "T = 4, because a mean over a prime number of positions is not dyadic",
    "tied": "a block used twice has equal widths",
    "addition": "an addition has equal widths; the other sizes are distinct primes",
    "convolution": "a small image: channels, kernel, padding and stride are as small as they can be",
    "pooling": "a small image, and means over 4 entries, which are dyadic",
}
