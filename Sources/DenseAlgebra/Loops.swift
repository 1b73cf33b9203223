// The inner loops that every routine of this target is built from. Each takes its rows or columns
// as spans once, so that no bounds check is left inside the loop and the compiler vectorises it;
// each sum has a fixed order, so that a faster kernel can replace a loop without changing its meaning.

/// target[offset + i] += scale · sourceᵢ for every entry of the source.
@inline(__always)
func axpy(
  _ scale: Double, _ source: Span<Double>, into target: inout MutableSpan<Double>,
  at offset: Int = 0
) {
  let count = source.count
  precondition(offset >= 0 && offset <= target.count - count, "axpy leaves its target")
  for index in 0..<count { target[offset &+ index] += scale * source[index] }
}

/// target[offset + i] += Σₖ scaleₖ · sourceₖᵢ for four sources, added in order k = 0, 1, 2, 3.
@inline(__always)
func axpy4(
  _ s0: Double, _ x0: Span<Double>, _ s1: Double, _ x1: Span<Double>,
  _ s2: Double, _ x2: Span<Double>, _ s3: Double, _ x3: Span<Double>,
  into target: inout MutableSpan<Double>, at offset: Int = 0
) {
  let count = x0.count
  precondition(offset >= 0 && offset <= target.count - count, "axpy4 leaves its target")
  let x1 = x1.extracting(first: count)
  let x2 = x2.extracting(first: count)
  let x3 = x3.extracting(first: count)
  for index in 0..<count {
    target[offset &+ index] =
      (((target[offset &+ index] + s0 * x0[index]) + s1 * x1[index]) + s2 * x2[index])
      + s3 * x3[index]
  }
}

/// Σᵢ xᵢ yᵢ over eight interleaved partial sums, added pairwise at the end: a fixed order.
@inline(__always)
func dot(_ x: Span<Double>, _ y: Span<Double>) -> Double {
  let count = x.count
  let y = y.extracting(first: count)
  var lanes = SIMD8<Double>(repeating: 0)
  let whole = count & ~7
  var index = 0
  while index < whole {
    let a = SIMD8(
      x[index], x[index + 1], x[index + 2], x[index + 3],
      x[index + 4], x[index + 5], x[index + 6], x[index + 7])
    let b = SIMD8(
      y[index], y[index + 1], y[index + 2], y[index + 3],
      y[index + 4], y[index + 5], y[index + 6], y[index + 7])
    lanes += a * b
    index += 8
  }
  var sum = lanes.sum()
  while index < count {
    sum += x[index] * y[index]
    index += 1
  }
  return sum
}

/// ‖x‖₂ by scaling with the largest entry, so that neither 1e200 nor 1e-200 is lost.
func euclideanNorm(_ x: Span<Double>) -> Double {
  var largest = 0.0
  for index in 0..<x.count {
    let magnitude = x[index].magnitude
    if magnitude.isNaN { return .nan }
    largest = max(largest, magnitude)
  }
  guard largest > 0, largest.isFinite else { return largest }
  if largest < 1e140, largest > 1e-140 { return dot(x, x).squareRoot() }
  var sum = 0.0
  for index in 0..<x.count {
    let ratio = x[index] / largest
    sum += ratio * ratio
  }
  return largest * sum.squareRoot()
}
