/// The reduction T = Qᵀ·A·Q of a symmetric matrix to tridiagonal form by Householder reflections.
///
/// Only the lower triangle of A is read. 4n³/3 flops, and as many again for Q.
/// Source: Golub and Van Loan, Matrix Computations, 4th edition, section 8.3.1.
struct Tridiagonalization {
  /// The n diagonal entries of T.
  let diagonal: [Double]
  /// The n − 1 entries below it.
  let subdiagonal: [Double]
  private let reflectors: Matrix
  private let taus: [Double]

  init(_ matrix: Matrix) {
    let n = matrix.rowCount
    var work = matrix
    var subdiagonal: [Double] = []
    var taus: [Double] = []
    for k in 0..<max(0, n - 1) {
      let first = k + 1
      let size = n - first
      var span = work.storage.mutableSpan
      let reflection = HouseholderReflection(&span, at: k * n + first, count: size)
      subdiagonal.append(reflection.beta)
      taus.append(reflection.tau)
      guard reflection.tau != 0 else { continue }
      span[k * n + first] = 1
      let v = Array(work.storage[k * n + first..<(k + 1) * n])
      var w = [Double](repeating: 0, count: size)
      // w = τ·A·v, reading each column of the lower triangle once.
      var wSpan = w.mutableSpan
      for j in 0..<size {
        let start = (first + j) * n + first + j
        let below = work.storage.span.extracting(start + 1..<start + size - j)
        wSpan[j] += work.storage[start] * v[j] + dot(below, v.span.extracting(j + 1..<size))
        axpy(v[j], below, into: &wSpan, at: j + 1)
      }
      for j in 0..<size { wSpan[j] *= reflection.tau }
      let correction = -0.5 * reflection.tau * dot(wSpan.span, v.span)
      axpy(correction, v.span, into: &wSpan)
      span = work.storage.mutableSpan
      for j in 0..<size {
        let start = (first + j) * n + first + j
        axpy(-w[j], v.span.extracting(j..<size), into: &span, at: start)
        axpy(-v[j], w.span.extracting(j..<size), into: &span, at: start)
      }
    }
    diagonal = work.diagonal
    self.subdiagonal = subdiagonal
    reflectors = work
    self.taus = taus
  }

  /// The orthogonal Q with A = Q·T·Qᵀ.
  var orthogonal: Matrix {
    let n = reflectors.rowCount
    var q = Matrix.identity(n)
    for k in taus.indices.reversed() where taus[k] != 0 {
      let v = reflectors.storage.span.extracting(k * n + k + 1..<(k + 1) * n)
      var span = q.storage.mutableSpan
      for j in k + 1..<n {
        let start = j * n + k + 1
        let product = dot(v, span.span.extracting(start..<(j + 1) * n))
        axpy(-taus[k] * product, v, into: &span, at: start)
      }
    }
    return q
  }
}
