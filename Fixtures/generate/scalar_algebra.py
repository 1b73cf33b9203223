"""Linear algebra over any numbers, in plain Python lists: products, sums of outer products, Kronecker
products, solves and conjugate gradients. exact.py runs it on fractions, certified.py on mpmath."""


def combine(numbers, jacobian, v):
    """sum_c v_c jacobian[c]: T x dG."""
    positions, rows = len(jacobian[0]), len(jacobian[0][0])
    return [
        [numbers.dot(v, [j[t][i] for j in jacobian]) for i in range(rows)] for t in range(positions)
    ]


def outer_sum(numbers, vectors, weights=None):
    """sum_k w_k v_k v_k' as a full symmetric matrix, each entry one dot product."""
    size = len(vectors[0])
    columns = [[v[i] for v in vectors] for i in range(size)]
    left = columns if weights is None else [[w * x for w, x in zip(weights, c)] for c in columns]
    matrix = [[numbers.zero] * size for _ in range(size)]
    for i in range(size):
        for j in range(i + 1):
            matrix[i][j] = matrix[j][i] = numbers.dot(left[i], columns[j])
    return matrix


def gradient_vector(numbers, a, g):
    """cvec(sum_t g_t a_t'): entry (i, j) at j*dG + i."""
    return [
        numbers.dot([row[i] for row in g], [row[j] for row in a])
        for j in range(len(a[0]))
        for i in range(len(g[0]))
    ]


def uncvec(vector, rows):
    """The dG x dA matrix of a cvec."""
    return [[vector[j * rows + i] for j in range(len(vector) // rows)] for i in range(rows)]


def cvec(matrix):
    return [row[j] for j in range(len(matrix[0])) for row in matrix]


def kronecker(a, g):
    return [[x * y for x in ra for y in rg] for ra in a for rg in g]


def pinched(numbers, matrix, size):
    return [
        [x if i // size == j // size else numbers.zero for j, x in enumerate(row)]
        for i, row in enumerate(matrix)
    ]


def plus_identity(matrix, value):
    return [[x + value if i == j else x for j, x in enumerate(row)] for i, row in enumerate(matrix)]


def transposed(matrix):
    return [list(row) for row in zip(*matrix)]


def multiply(numbers, a, b):
    columns = transposed(b)
    return [[numbers.dot(row, column) for column in columns] for row in a]


def apply(numbers, a, x):
    return [numbers.dot(row, x) for row in a]


def solve(numbers, matrix, right):
    """X with matrix X = right (a matrix of columns), by LDL' elimination: the matrix is positive
    definite, so no pivoting is needed, and a pivot <= 0 stops."""
    rows = [list(r) + list(b) for r, b in zip(matrix, right)]
    size = len(rows)
    for k in range(size):
        if not rows[k][k] > 0:
            raise ValueError(f"pivot {k} is {rows[k][k]}: not positive definite")
        for i in range(k + 1, size):
            if rows[i][k] != 0:
                factor = rows[i][k] / rows[k][k]
                rows[i] = rows[i][: k + 1] + [
                    x - factor * y for x, y in zip(rows[i][k + 1 :], rows[k][k + 1 :])
                ]
    width = len(right[0])
    result = [None] * size
    for k in reversed(range(size)):
        row = [
            (
                rows[k][size + c]
                - numbers.dot(rows[k][k + 1 : size], [result[i][c] for i in range(k + 1, size)])
            )
            / rows[k][k]
            for c in range(width)
        ]
        result[k] = row
    return result


def solve_vector(numbers, matrix, x):
    return [row[0] for row in solve(numbers, matrix, [[value] for value in x])]


def inverse(numbers, matrix):
    size = len(matrix)
    unit = [[numbers.one if i == j else numbers.zero for j in range(size)] for i in range(size)]
    result = solve(numbers, matrix, unit)
    return [[(result[i][j] + result[j][i]) / 2 for j in range(size)] for i in range(size)]


def kronecker_solve(numbers, a, g, v):
    """G^-1 V A^-1."""
    half = solve(numbers, g, v)
    return transposed(solve(numbers, a, transposed(half)))


def conjugate_gradients(numbers, product, b, steps):
    """Iterates 1...steps from zero for product(x) = b (spec 6.1), constant once r is 0."""
    x, r = [numbers.zero] * len(b), list(b)
    p, rho, iterates = list(b), numbers.dot(b, b), []
    for _ in range(steps):
        if rho == 0:
            iterates.append(x)
            continue
        q = product(p)
        alpha = rho / numbers.dot(p, q)
        x = [s + alpha * t for s, t in zip(x, p)]
        r = [s - alpha * t for s, t in zip(r, q)]
        iterates.append(x)
        new = numbers.dot(r, r)
        p = [s + (new / rho) * t for s, t in zip(r, p)]
        rho = new
    return iterates
