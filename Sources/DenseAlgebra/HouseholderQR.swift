/// The factorisation A·P = Q·R by Householder reflections with column pivoting (Businger, Golub).
///
/// The diagonal of R decreases in magnitude, which is what makes one-sided Jacobi on Rᵀ quick and
/// accurate. 4·m·n·k flops, k = min(m, n).
struct HouseholderQR {
  /// R, k × n, upper trapezoidal.
  let upper: Matrix
  /// Column j of A·P is column `order[j]` of A.
  let order: [Int]
  private let reflectors: Matrix
  private let taus: [Double]

  init(_ matrix: Matrix) {
    let m = matrix.rowCount
    let n = matrix.columnCount
    let rank = min(m, n)
    var work = matrix
    var order = Array(0..<n)
    var taus: [Double] = []
    for k in 0..<rank {
      // Exact norms rather than LAPACK's updated ones: no cancellation to guard against.
      let norms = (k..<n).map {
        euclideanNorm(work.storage.span.extracting($0 * m + k..<($0 + 1) * m))
      }
      var pivot = k
      for j in k..<n where norms[j - k] > norms[pivot - k] { pivot = j }
      if pivot != k {
        order.swapAt(k, pivot)
        for i in 0..<m { work.storage.swapAt(k * m + i, pivot * m + i) }
      }
      var span = work.storage.mutableSpan
      let reflection = HouseholderReflection(&span, at: k * m + k, count: m - k)
      taus.append(reflection.tau)
      let v = Self.vector(work.storage.span, k, m)
      span = work.storage.mutableSpan
      for j in k + 1..<max(k + 1, n) {
        let start = j * m + k
        let product = dot(v.span, span.span.extracting(start..<(j + 1) * m))
        axpy(-reflection.tau * product, v.span, into: &span, at: start)
      }
    }
    var upper = Matrix(rowCount: rank, columnCount: n)
    for j in 0..<n { for i in 0..<min(j + 1, rank) { upper[i, j] = work[i, j] } }
    self.upper = upper
    self.order = order
    reflectors = work
    self.taus = taus
  }

  /// The first `count` columns of the full m × m orthogonal Q.
  func orthogonalColumns(_ count: Int) -> Matrix {
    BlockReflection.orthogonalMatrix(
      reflectors: reflectors, taus: taus, shift: 0, columnCount: count)
  }

  /// Reflector k with its leading one, entries k to m − 1.
  private static func vector(_ reflectors: Span<Double>, _ k: Int, _ m: Int) -> [Double] {
    var v = Array(repeating: 1.0, count: m - k)
    for i in 1..<max(1, m - k) { v[i] = reflectors[k * m + k + i] }
    return v
  }
}
