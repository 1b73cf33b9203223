import DataFiles
import Testing

@Suite struct CallerMistakeTests {
  @Test func anArrayNeedsTheElementsOfItsShape() async {
    await #expect(processExitsWith: .failure) { _ = NumericArray(shape: [2], elements: [1]) }
    await #expect(processExitsWith: .success) { _ = NumericArray(shape: [1], elements: [1]) }
  }

  @Test func anArrayNeedsNumbersOfItsKind() async {
    await #expect(processExitsWith: .failure) {
      _ = NumericArray(shape: [1], elements: [0.5], kind: .integer)
    }
    await #expect(processExitsWith: .failure) {
      _ = NumericArray(shape: [1], elements: [0.1], kind: .float32)
    }
    await #expect(processExitsWith: .failure) {
      _ = NumericArray(shape: [1], elements: [2], kind: .boolean)
    }
  }

  @Test func writersNeedNamesRowsAndDimensionsThatFit() async {
    await #expect(processExitsWith: .failure) {
      _ = NPY.encode(NumericArray(shape: [Int](repeating: 1, count: 65), elements: [1]))
    }
    await #expect(processExitsWith: .failure) {
      _ = NPZ.encode([("a", NumericArray(1)), ("a", NumericArray(2))])
    }
    await #expect(processExitsWith: .failure) {
      _ = CSV.encode(header: ["a", "b"], rows: [[.integer(1)]])
    }
  }
}
