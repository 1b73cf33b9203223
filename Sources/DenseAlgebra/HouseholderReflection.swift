import RealModule

/// An elementary reflector H = I − τ·v·vᵀ with v₀ = 1 that maps a vector to (β, 0, …, 0)ᵀ.
struct HouseholderReflection {
  let beta: Double
  let tau: Double

  /// Finds the reflector of the `count` entries at `offset`, overwriting them by β and the tail of v.
  ///
  /// τ = 0 (no reflection) when the tail is zero. Tiny vectors are scaled first, since a reflector
  /// made from subnormal numbers would not be orthogonal (LAPACK's dlarfg does the same).
  init(_ x: inout MutableSpan<Double>, at offset: Int, count: Int) {
    guard count > 0 else {
      (beta, tau) = (0, 0)
      return
    }
    let norm = euclideanNorm(x.span.extracting(offset + 1..<offset + count))
    var alpha = x[offset]
    guard norm > 0 else {
      (beta, tau) = (alpha, 0)
      return
    }
    var length = Double.hypot(alpha, norm)
    let isTiny = length < 0x1p-960
    if isTiny {
      for i in offset..<offset + count { x[i] *= 0x1p200 }
      alpha = x[offset]
      length = Double.hypot(alpha, euclideanNorm(x.span.extracting(offset + 1..<offset + count)))
    }
    let image = alpha > 0 ? -length : length
    for i in offset + 1..<offset + count { x[i] /= alpha - image }
    tau = (image - alpha) / image
    beta = isTiny ? image * 0x1p-200 : image
    x[offset] = beta
  }
}
