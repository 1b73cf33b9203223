import DataFiles
import DenseAlgebra
import Experiments
import Fixtures
import Foundation
import Networks
import Testing

@Suite("The data sets of a comparison")
struct ComparisonDataTests {
  private func labels(_ dataset: Dataset) throws -> [Int] {
    guard case .labels(let labels) = dataset.targets else { throw CancellationError() }
    return labels
  }

  /// The digests that the data set's generator wrote down.
  private func digests(_ folder: String) throws -> [String: String] {
    struct Provenance: Decodable {
      struct File: Decodable { let name, sha256: String }
      let files: [File]
    }
    let path = try Fixtures.path("datasets/\(folder)/provenance.json")
    let read = try JSONDecoder().decode(
      Provenance.self, from: Data(contentsOf: URL(fileURLWithPath: path)))
    return Dictionary(uniqueKeysWithValues: read.files.map { ($0.name, $0.sha256) })
  }

  @Test func fashionMNISTIsBalancedAndScaled() throws {
    let loaded = try DatasetSource.fashionMNIST.load(widths: [])
    let data = loaded.dataset
    #expect(data.name == "fashion-mnist" && loaded.classCount == 10)
    #expect(data.inputs.rowCount == 784 && data.count == 2560)
    let counts = Dictionary(grouping: try labels(data)) { $0 }.mapValues(\.count)
    #expect(counts == Dictionary(uniqueKeysWithValues: (0..<10).map { ($0, 256) }))
    #expect(data.inputs.storage.min() == 0 && data.inputs.storage.max() == 1)
    // Bytes divided by 255: all of them times 255 are whole.
    #expect(data.inputs.storage.allSatisfy { abs(($0 * 255).rounded() - $0 * 255) < 1e-12 })
    let digests = try digests("fashion-mnist")
    #expect(loaded.files.count == 2)
    for file in loaded.files { #expect(digests[file.name] == file.sha256, "\(file.name)") }
  }

  @Test func digitsAreWholeAndScaledBySixteen() throws {
    let loaded = try DatasetSource.digits.load(widths: [])
    let data = loaded.dataset
    #expect(data.name == "digits" && loaded.classCount == 10)
    #expect(data.inputs.rowCount == 64 && data.count == 1797)
    #expect(data.inputs.storage.min() == 0 && data.inputs.storage.max() == 1)
    #expect(data.inputs.storage.allSatisfy { ($0 * 16).rounded() == $0 * 16 })
    // scikit-learn's load_digits: target_names count 178, 182, 177, 183, 181, 182, 181, 179, 174, 180.
    let counts = Dictionary(grouping: try labels(data)) { $0 }.mapValues(\.count)
    #expect((0..<10).map { counts[$0] } == [178, 182, 177, 183, 181, 182, 181, 179, 174, 180])
    // The first row of sklearn.datasets.load_digits().data begins 0 0 5 13 9 1 0 0.
    #expect((0..<8).map { data.inputs[$0, 0] * 16 } == [0, 0, 5, 13, 9, 1, 0, 0])
    #expect(try loaded.files.map(\.sha256) == [digests("digits")["digits.csv"]])
  }

  @Test func theTeacherIsSeeded() throws {
    let widths = [5, 4, 3]
    let first = try DatasetSource.teacher.load(widths: widths, seed: 1)
    #expect(first.dataset == (try DatasetSource.teacher.load(widths: widths, seed: 1).dataset))
    #expect(first.dataset != (try DatasetSource.teacher.load(widths: widths, seed: 2).dataset))
    #expect(first.dataset.count == 2048 && first.dataset.inputs.rowCount == 5)
    #expect(first.classCount == 3 && first.files.isEmpty)
  }

  @Test func everyNamedSourceHasItsNameAndAnExplanation() {
    #expect(
      DatasetSource.named.map(\.name) == [
        "fashion-mnist", "fashion-mnist-full", "digits", "teacher",
      ]
    )
    for (name, source, explanation) in DatasetSource.named {
      #expect(source.name == name && explanation.count > 20)
    }
  }
}
