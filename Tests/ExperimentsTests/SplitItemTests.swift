import DataFiles
import DenseAlgebra
import Experiments
import Foundation
import Testing

@Suite("The split's items")
struct SplitItemTests {
  private func write(_ arrays: [(name: String, array: NumericArray)]) throws -> String {
    let path = NSTemporaryDirectory() + "factors-\(UUID().uuidString).npz"
    try NPZ.write(arrays, to: path)
    return path
  }

  private func message(_ arrays: [(name: String, array: NumericArray)]) throws -> String {
    let path = try write(arrays)
    defer { try? FileManager.default.removeItem(atPath: path) }
    do {
      _ = try GivenFactors.read([(name: "mine.npz", path: path)])
      return "nothing was thrown"
    } catch {
      return error.message
    }
  }

  @Test func givenFactorsKeepTheirNamesAndEntries() throws {
    let a = Matrix(rows: [[2, 1], [1, 3]])
    let path = try write([("A1", NumericArray(a)), ("A2", NumericArray(Matrix.identity(3)))])
    defer { try? FileManager.default.removeItem(atPath: path) }
    let factors = try GivenFactors.read([(name: "mine.npz", path: path)])
    #expect(factors.map(\.name) == ["mine.npz, array 'A1'", "mine.npz, array 'A2'"])
    #expect(factors.map(\.factor) == [a, .identity(3)])
  }

  @Test func aFactorThatIsNotSquareIsNamedWithItsShape() throws {
    let text = try message([("W", NumericArray(Matrix(rowCount: 2, columnCount: 3)))])
    #expect(text.contains("mine.npz, array 'W' has the shape (2, 3); a square matrix"))
    let vector = try message([("b", NumericArray(Vector([1, 2])))])
    #expect(vector.contains("array 'b' has the shape (2,)"))
  }

  @Test func aFactorThatIsNotSymmetricOrFiniteIsNamed() throws {
    let text = try message([("L", NumericArray(Matrix(rows: [[1, 0], [2, 1]])))])
    #expect(text.contains("array 'L', of shape (2, 2), differs from its transpose by 2.0"))
    let infinite = try message([("A", NumericArray(Matrix(rows: [[.infinity]])))])
    #expect(infinite.contains("mine.npz, array 'A': entry [0, 0]"))
  }

  @Test func anEmptyArchiveIsRefused() throws {
    #expect(try message([]).contains("mine.npz holds no arrays"))
  }

  @Test func quantilesRunBetweenTheValues() {
    #expect(ProcessorTime.quantile(0.5, of: [1, 2, 4]) == 2)
    #expect(ProcessorTime.quantile(0.5, of: [1, 3]) == 2)
    #expect(ProcessorTime.quantile(0.25, of: [0, 4]) == 1)
    #expect(ProcessorTime.quantile(1, of: [0, 4]) == 4)
    #expect(ProcessorTime.quantile(0.9, of: [7]) == 7)
  }

  @Test func processorTimeCountsTheWork() {
    var count = 0
    let time = ProcessorTime(samples: 3, secondsPerSample: 0) { count += 1 }
    // Once untimed, once to find the number of repetitions, then three samples.
    #expect(count == 5)
    #expect(time.lower <= time.median && time.median <= time.upper && time.lower > 0)
  }

  @Test func sleepIsNoProcessorTime() {
    let time = ProcessorTime(samples: 1, secondsPerSample: 0) { usleep(20_000) }
    #expect(time.median < 0.01)
  }
}
