import DenseAlgebra
import Testing

/// What was seen and where, in the error itself.
@Suite("Errors name what they saw")
struct ErrorTests {
  @Test("The numbers are in the sentence")
  func errorsAreSentences() {
    let sentences: [(any Error, [String])] = [
      (NotPositiveDefinite(size: 5, pivot: 3, value: -2.5), ["5", "3", "-2.5", "damping"]),
      (SingularMatrix(size: 7, pivot: 4), ["7", "4", "singular"]),
      (
        IterationLimitReached(routine: "Jacobi", size: 9, index: 2, limit: 30),
        ["Jacobi", "9", "2", "30"]
      ),
    ]
    for (error, parts) in sentences {
      let text = String(describing: error)
      for part in parts { #expect(text.contains(part), "\(text)") }
    }
  }
}
