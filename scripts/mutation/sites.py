"""Where Swift source can be mutated: a tokenizer and the fixed operators.

A place is a span of tokens that one operator can change; comments, string literals (with their
interpolations), attributes and imports hold none. An operator that can change a place in several
ways has one site there, and the draw picks the way.
"""
from __future__ import annotations

import re
from dataclasses import dataclass

OPERATORS = {
    "sign": "+ and - (also &+, +=, a unary minus) exchanged or dropped",
    "off-by-one": "..< and ... or to: and through: exchanged, +1 dropped, an index + 1, dropFirst gone",
    "scale": "a divisor dropped or divided by twice",
    "transpose": "a transpose dropped, another side transposed, indices [i, j] exchanged",
    "comparison": "< <= > >= == != && || min max exchanged, a negation dropped",
    "constant": "a literal changed: 0 to 1, 1 to 2, 0.5 to 1, 1e-k times ten, true to false",
    "swap": "factors, operands of a division, two arguments, or rows and columns exchanged",
    "early": "a condition forced, a loop ended early, the last statement before a return gone",
    "divide": "* and / exchanged",
}

TOKEN = re.compile(
    r"""(?P<space>\s+)
      | (?P<comment>//[^\n]*)
      | (?P<number>0x[0-9A-Fa-f_]+(?:\.[0-9A-Fa-f_]+)?(?:[pP][+-]?\d+)?
          | \d[\d_]*(?:\.\d[\d_]*)?(?:[eE][+-]?\d+)?)
      | (?P<attribute>[@\#]\w+(?:\([^()\n]*\))?)
      | (?P<name>\$?\w+|`\w+`)
      | (?P<operator>\.\.[.<]|[-/=+!*%<>&|^~?]+)
      | (?P<mark>[()\[\]{},:;.\\])""",
    re.VERBOSE)

DECLARATIONS = {"func", "init", "subscript", "case", "let", "var", "struct", "enum", "class",
                "protocol", "extension", "typealias", "import", "operator", "associatedtype"}
KEYWORDS = DECLARATIONS | {"if", "for", "while", "guard", "else", "switch", "return", "in", "do",
                           "catch", "try", "throw", "throws", "where", "defer", "default", "repeat",
                           "break", "continue", "public", "private", "static", "mutating", "as",
                           "is", "await", "any", "some", "inout", "fileprivate", "internal", "get",
                           "set", "fallthrough", "nonisolated", "final", "override", "indirect"}
PARTNERS = [("rowCount", "columnCount"), ("inputSize", "outputSize"), ("inputs", "outputs"),
            ("leftSize", "rightSize"), ("rowStride", "columnStride"), ("height", "width"),
            ("kernelHeight", "kernelWidth"), ("rowPadding", "columnPadding"),
            ("rows", "columns"), ("inputBasis", "outputBasis"), ("lowerBound", "upperBound"),
            ("inputCount", "outputCount"), ("dA", "dG"), ("first", "last"), ("left", "right")]
PARTNER = {a: b for pair in PARTNERS for a, b in (pair, pair[::-1])}
TRANSPOSES = {"gram": ["timesOwnTranspose"], "timesOwnTranspose": ["gram"],
              "timesTransposed": ["transposedTimes"], "transposedTimes": ["timesTransposed"],
              "solvingLower": ["solvingLowerTransposed"],
              "solvingLowerTransposed": ["solvingLower"]}
SIDES = {"transposed", "transposingLeft", "transposingRight"}
MATRICES = {"transposed", "inverse", "vectors", "matrix", "gram", "dense", "symmetrized",
            "orthogonal", "timesOwnTranspose", "inputs", "weights", "transposedTimes",
            "timesTransposed", "orthogonalColumns"}
COMPARISONS = {"<": ["<=", ">"], "<=": ["<", ">="], ">": [">=", "<"], ">=": [">", "<="],
               "==": ["!="], "!=": ["=="], "&&": ["||"], "||": ["&&"], "===": ["!=="]}


@dataclass(frozen=True)
class Token:
    kind: str
    text: str
    start: int

    @property
    def end(self) -> int:
        return self.start + len(self.text)


@dataclass(frozen=True)
class Site:
    """One place and operator: the span from `start` and the texts that may replace it."""
    start: int
    operator: str
    before: str
    afters: tuple[str, ...]


def string_end(text: str, start: int) -> int:
    """The end of the string literal whose (possibly raw) opening quote is at `start`."""
    hashes = len(re.match(r"#*", text[start:]).group())
    at = start + hashes
    quote = '"""' if text.startswith('"""', at) else '"'
    at += len(quote)
    while not text.startswith(quote + "#" * hashes, at):
        if text.startswith("\\" + "#" * hashes + "(", at):
            depth, at = 1, at + 2 + hashes
            while depth:
                if text[at] == '"':
                    at = string_end(text, at)
                    continue
                depth += {"(": 1, ")": -1}.get(text[at], 0)
                at += 1
        else:
            at += 2 if text[at] == "\\" and not hashes else 1
    return at + len(quote) + hashes


def tokenize(text: str) -> list[Token]:
    """The tokens that a compiler sees, string literals as one token each."""
    tokens, at = [], 0
    while at < len(text):
        if re.match(r'#*"', text[at:at + 8]):
            end = string_end(text, at)
            tokens.append(Token("string", text[at:end], at))
            at = end
            continue
        match = TOKEN.match(text, at)
        if match is None:
            raise ValueError(f"cannot read {text[at:at + 20]!r} at character {at}")
        if match.lastgroup not in ("space", "comment"):
            tokens.append(Token(match.lastgroup, match.group(), at))
        at = match.end()
    return tokens


class Source:
    """One file's tokens with the questions that the operators ask about them."""

    def __init__(self, text: str):
        self.text = text
        self.tokens = tokenize(text)
        self.partner: dict[int, int] = {}
        self.open: list[int | None] = []  # the innermost bracket around each token
        stack: list[int] = []
        for i, token in enumerate(self.tokens):
            if token.text in (")", "]", "}") and token.kind == "mark":
                self.partner[i] = stack.pop()
                self.partner[self.partner[i]] = i
            self.open.append(stack[-1] if stack else None)
            if token.text in ("(", "[", "{") and token.kind == "mark":
                stack.append(i)
        if stack:
            raise ValueError("unbalanced brackets")
        declared = re.findall(r"\b(\w+): (?:inout )?Matrix\b", text)
        declared += re.findall(r"\b(?:let|var) (\w+)(?:: Matrix)? = (?:\([^=\n]*\) \* )?Matrix[.(]", text)
        declared += re.findall(
            r"\b(?:let|var) (\w+) = [^\n]*(?:transposed|timesOwnTranspose|transposedTimes\(.*\))\n", text)
        self.matrices = MATRICES | set(declared)

    def word(self, i: int) -> str:
        return self.tokens[i].text if 0 <= i < len(self.tokens) else ""

    def kind(self, i: int) -> str:
        return self.tokens[i].kind if 0 <= i < len(self.tokens) else ""

    def span(self, first: int, last: int) -> str:
        return self.text[self.tokens[first].start:self.tokens[last].end]

    def adjacent(self, i: int) -> bool:
        """Whether token i follows token i − 1 without a space."""
        return i > 0 and self.tokens[i - 1].end == self.tokens[i].start

    def spaced(self, i: int) -> bool:
        return (0 < i < len(self.tokens) - 1
                and not self.adjacent(i) and not self.adjacent(i + 1))

    def starts_line(self, i: int) -> bool:
        return i == 0 or "\n" in self.text[self.tokens[i - 1].end:self.tokens[i].start]

    def starts_statement(self, i: int) -> bool:
        return self.starts_line(i) or self.word(i - 1) in ("{", "}")

    def indent(self, i: int) -> int:
        start = self.tokens[i].start
        return start - self.text.rfind("\n", 0, start) - 1

    def is_prefix(self, i: int) -> bool:
        return (self.adjacent(i + 1)
                and (not self.adjacent(i) or self.word(i - 1) in ("(", "[", "{", "..<", "...")))

    def is_range(self, i: int) -> bool:
        """Whether the range operator at token i has both of its ends."""
        return (self.adjacent(i) and self.adjacent(i + 1) and self.word(i - 1) not in ("(", "[")
                and self.word(i + 1) not in (")", "]", ":", ","))

    def is_subscript(self, i: int) -> bool:
        """Whether the [ at token i indexes what stands before it."""
        return self.adjacent(i) and (
            self.kind(i - 1) == "name" or self.word(i - 1) in (")", "]", "?", "!"))

    def is_call(self, i: int) -> bool:
        """Whether the ( at token i holds the arguments of a call."""
        if not self.adjacent(i) or self.kind(i - 1) not in ("name", "attribute"):
            return False
        return (self.word(i - 1) not in KEYWORDS - {"init"} and self.kind(i - 1) == "name"
                and self.word(i - 2) not in DECLARATIONS
                and not (self.word(i - 1) == "init" and self.word(i - 2) != "."))

    def arguments(self, i: int) -> list[tuple[int, int]]:
        """First and last token of every item between the bracket at i and its partner."""
        parts, first, at, end = [], i + 1, i + 1, self.partner[i]
        while at < end:
            if self.word(at) == ",":
                parts.append((first, at - 1))
                first = at + 1
            at = self.partner[at] + 1 if self.word(at) in ("(", "[", "{") else at + 1
        return parts + [(first, end - 1)] if first < end else parts

    def value(self, first: int, last: int) -> tuple[int, int]:
        """An argument without its label."""
        if self.kind(first) == "name" and self.word(first + 1) == ":":
            return first + 2, last
        return first, last

    def operand_after(self, i: int) -> int | None:
        """The last token of the postfix expression that starts after token i."""
        at = i + 1
        while self.kind(at) == "operator" and self.is_prefix(at):
            at += 1
        if self.word(at) == "." and self.kind(at + 1) == "name":
            at += 1
        if self.word(at) in ("(", "["):
            at = self.partner[at]
        elif self.kind(at) not in ("name", "number") or self.word(at) in KEYWORDS:
            return None
        while True:
            if self.word(at + 1) == "." and self.kind(at + 2) in ("name", "number"):
                at += 2
            elif self.word(at + 1) in ("(", "[") and self.adjacent(at + 1):
                at = self.partner[at + 1]
            else:
                return at

    def operand_before(self, i: int) -> int | None:
        """The first token of the postfix expression that ends before token i."""
        at = i - 1
        while True:
            if self.word(at) in (")", "]"):
                at = self.partner[at]
                if self.adjacent(at) and (self.kind(at - 1) == "name" or self.word(at - 1) in (")", "]")):
                    at -= 1
                    continue
            elif self.kind(at) not in ("name", "number") or self.word(at) in KEYWORDS:
                return None
            if self.word(at - 1) == "." and self.adjacent(at):
                if not self.adjacent(at - 1):
                    return at - 1
                at -= 2
                continue
            return at

    def is_matrix(self, first: int, last: int) -> bool:
        """Whether the operand's name says that it is a matrix (see `matrices`)."""
        at = last
        while self.word(at) in (")", "]") and self.partner[at] > first:
            at = self.partner[at] - 1
        if self.word(at) == ")" and self.partner[at] == first:
            return any(self.word(k) in self.matrices for k in range(first, at))
        return self.word(at) in self.matrices

    def condition_end(self, i: int) -> int | None:
        """The { (or else) that ends the condition of the if, while or guard at token i."""
        at = i + 1
        stop = "else" if self.word(i) == "guard" else "{"
        while at < len(self.tokens):
            if self.word(at) == stop:
                return at
            if self.word(at) in (")", "]", "}"):
                return None
            at = self.partner[at] + 1 if self.word(at) in ("(", "[", "{") else at + 1
        return None


def literal_change(text: str) -> str:
    plain = text.replace("_", "")
    if re.fullmatch(r"\d+", plain):
        return str(int(plain) + 1)
    if match := re.fullmatch(r"(0x[0-9A-Fa-f.]+p)([+-]?\d+)", plain):
        return match.group(1) + str(int(match.group(2)) + 1)
    if plain.startswith("0x"):
        return hex(int(plain, 16) ^ 1)
    if match := re.fullmatch(r"([\d.]+e)([+-]?\d+)", plain):
        return match.group(1) + str(int(match.group(2)) + 1)
    return repr(2 * float(plain)) if float(plain) else "1.0"


def sites(text: str) -> list[Site]:
    """All sites of one file in the order of their places."""
    source = Source(text)
    found: list[Site] = []

    def add(operator: str, first: int, last: int, *afters: str) -> None:
        before = source.span(first, last)
        afters = tuple(after for after in afters if after != before)
        if afters:
            found.append(Site(source.tokens[first].start, operator, before, afters))

    word, kind = source.word, source.kind
    imports = {i + k for i in range(len(source.tokens)) if word(i) == "import" for k in (0, 1)}
    for i, token in enumerate(source.tokens):
        text_ = token.text
        if i in imports or token.kind in ("string", "attribute"):
            continue
        if token.kind == "number" and word(i - 1) != ".":
            add("constant", i, i, literal_change(text_))
        elif token.kind == "operator":
            operator_sites(source, i, add)
        elif token.kind == "name":
            name_sites(source, i, add)
        elif text_ == "(" and source.is_call(i):
            call_sites(source, i, add)
        elif text_ == "[" and source.is_subscript(i):
            subscript_sites(source, i, add)
    return sorted(found, key=lambda site: (site.start, site.operator, site.before))


def operator_sites(source: Source, i: int, add) -> None:
    text = source.word(i)
    beside_string = "string" in (source.kind(i - 1), source.kind(i + 1))
    if source.word(i - 1) == "func" or beside_string:
        return
    as_function = source.word(i - 1) in ("(", ",", ":") and source.word(i + 1) in (",", ")")
    signs = {"+": "-", "-": "+", "&+": "&-", "&-": "&+", "+=": "-=", "-=": "+="}
    if text in signs and (source.spaced(i) or as_function):
        add("sign", i, i, signs[text])
        if (text in ("+", "-", "&+", "&-") and source.word(i + 1) == "1"
                and source.word(i + 2) not in ("*", "/")):
            add("off-by-one", i, i + 1, "")
    elif text == "-" and source.is_prefix(i):
        add("sign", i, i, "")
    elif text in ("..<", "...") and source.is_range(i):
        add("off-by-one", i, i, "..." if text == "..<" else "..<")
    elif text in COMPARISONS and source.spaced(i):
        add("comparison", i, i, *COMPARISONS[text])
    elif text == "!" and source.is_prefix(i):
        add("comparison", i, i, "")
    exchanged = {"*": "/", "/": "*", "*=": "/=", "/=": "*=", "&*": "/"}
    if text not in exchanged or not (source.spaced(i) or as_function):
        return
    if as_function:
        add("divide", i, i, exchanged[text])
        return
    last, first = source.operand_after(i), source.operand_before(i)
    factors = (last is not None and first is not None and text == "*"
               and (source.is_matrix(first, i - 1) or source.is_matrix(i + 1, last))
               and "number" not in (source.kind(i - 1), source.kind(i + 1))
               and not source.span(first, i - 1).startswith("(1 / "))
    if factors:
        add("swap", first, last,
            f"{source.span(i + 1, last)} * {source.span(first, i - 1)}")
    else:
        add("divide", i, i, exchanged[text])
    if text == "/" and last is not None:
        divisor = source.span(i + 1, last)
        add("scale", i, last, "", f"/ {divisor} / {divisor}")
        if first is not None:
            add("swap", first, last, f"{divisor} / {source.span(first, i - 1)}")


def name_sites(source: Source, i: int, add) -> None:
    text, before, after = source.word(i), source.word(i - 1), source.word(i + 1)
    member = before == "." and source.adjacent(i)
    declared = before in DECLARATIONS or before == "func"
    label = after == ":" and source.word(i - 1) in ("(", ",", "[")
    if text in ("true", "false"):
        side = source.word(i - 1) == ":" and source.word(i - 2) in SIDES
        add("transpose" if side else "constant", i, i, "false" if text == "true" else "true")
    elif member and text == "transposed" and after != "(":
        add("transpose", i - 1, i, "")
    elif member and text in TRANSPOSES:
        add("transpose", i, i, *TRANSPOSES[text])
        if text in ("timesTransposed", "transposedTimes") and after == "(":
            last = source.partner[i + 1]
            argument = source.span(i + 1, last)
            add("transpose", i + 1, last, f"({argument}.transposed)")
    elif member and text in ("dropFirst", "dropLast") and after == "(":
        add("off-by-one", i - 1, source.partner[i + 1], "")
    elif text in ("to", "through") and after == ":" and source.word(i + 2) != "&":
        if source.word(i - 1) == ",":
            add("off-by-one", i, i, "through" if text == "to" else "to")
    elif text in ("min", "max") and after == "(" and not declared:
        add("comparison", i, i, "max" if text == "min" else "min")
    elif text in ("if", "while", "guard") and after != ":":
        condition_sites(source, i, add)
    elif text == "for" and source.starts_statement(i) and ":" not in (after, source.word(i + 2)):
        loop_sites(source, i, add)
    elif text == "return" and source.starts_line(i):
        last_statement_sites(source, i, add)
    elif text in PARTNER and not declared and not label and after != "(":
        partner = PARTNER[text]
        # A local or a member of this name must exist somewhere in the file.
        if member or re.search(rf"\b{partner}\b", source.text):
            add("swap", i, i, partner)


def condition_sites(source: Source, i: int, add) -> None:
    end = source.condition_end(i)
    if end is None:
        return
    binds = any(source.word(k) in ("let", "var", "case") for k in range(i + 1, end))
    add("early", end, end, f", false {source.word(end)}")
    if not binds and source.word(i) != "while":
        add("early", i, i, f"{source.word(i)} true ||")


def loop_sites(source: Source, i: int, add) -> None:
    at = i + 1
    while source.word(at) != "in":
        at += 1
    first = at = at + 1
    while source.word(at) not in ("{", "where"):
        at = source.partner[at] + 1 if source.word(at) in ("(", "[") else at + 1
    if first < at:
        collection = source.span(first, at - 1)
        add("early", first, at - 1, f"({collection}).dropLast()", f"({collection}).prefix(1)")


def last_statement_sites(source: Source, i: int, add) -> None:
    """The assignment or call that stands directly before the return at token i."""
    block, at = source.open[i], i - 1
    while at > (block if block is not None else -1):
        if (source.starts_line(at) and source.indent(at) == source.indent(i)
                and source.kind(at) == "name"):
            break
        at -= 1
    else:
        return
    if source.word(at) not in (KEYWORDS | {"precondition"}) - {"try"} and source.open[at] == block:
        add("early", at, i - 1, "")


def call_sites(source: Source, i: int, add) -> None:
    name = source.word(i - 1)
    arguments = source.arguments(i)
    if name in ("min", "max", "dot", "swapAt", "precondition", "zip", "reduce"):
        return
    labels = [source.word(a) if source.word(a + 1) == ":" else "" for a, _ in arguments]
    pairs = {("rowCount", "columnCount"), ("rows", "columns"), ("row", "column"),
             ("a", "g"), ("transposed", "forward")}
    for k in range(len(arguments) - 1):
        if len(arguments) != 2 and tuple(labels[k:k + 2]) not in pairs:
            continue
        (f1, l1), (f2, l2) = (source.value(*argument) for argument in arguments[k:k + 2])
        if "let" in (source.word(f1), source.word(f2)):
            continue
        if any(source.kind(t) == "string" for t in range(f1, l2 + 1)) or "&" in (
                source.word(f1), source.word(f2)):
            continue
        if source.kind(f1) == "operator" and f1 == l1 or source.kind(f2) == "operator" and f2 == l2:
            continue
        between = source.text[source.tokens[l1].end:source.tokens[f2].start]
        add("swap", f1, l2, source.span(f2, l2) + between + source.span(f1, l1))


def subscript_sites(source: Source, i: int, add) -> None:
    arguments = source.arguments(i)
    if any(source.kind(k) == "string" or source.word(k) in ("..<", "...", "?", "{")
           for k in range(i + 1, source.partner[i])):
        return
    for first, last in arguments:
        # A lone literal is the operator constant's.
        if source.word(first + 1) != ":" and (first < last or source.kind(first) != "number"):
            add("off-by-one", first, last, f"{source.span(first, last)} + 1")
    if len(arguments) == 2:
        (f1, l1), (f2, l2) = arguments
        add("transpose", f1, l2, f"{source.span(f2, l2)}, {source.span(f1, l1)}")
