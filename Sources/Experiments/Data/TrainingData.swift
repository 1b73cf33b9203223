import DataFiles
import DenseAlgebra
import Fixtures
import Foundation
import Networks

/// Examples to train on and others to test on.
public struct TrainingData: Sendable {
  public let training: Dataset
  public let test: Dataset
  /// The number of classes.
  public let classCount: Int
  /// Path-free names and SHA-256 of the files read.
  public let files: [(name: String, sha256: String)]
  /// Where the test examples come from, for reports.
  public let testOrigin: String

  public init(
    training: Dataset, test: Dataset, classCount: Int, files: [(name: String, sha256: String)],
    testOrigin: String
  ) {
    self.training = training
    self.test = test
    self.classCount = classCount
    self.files = files
    self.testOrigin = testOrigin
  }
}

extension DatasetSource {
  /// Whether Debian's package with the full Fashion-MNIST is installed.
  public static var hasFullFashionMNIST: Bool {
    FileManager.default.fileExists(atPath: debianFolder)
  }

  /// Reads the data with a test part: the files named t10k of a folder, else every sixth example.
  ///
  /// Throws what `load` throws.
  public func loadParts(
    widths: [Int], seed: UInt64 = 1, limit: Int = InputFile.standardLimit
  ) throws -> TrainingData {
    let loaded = try load(widths: widths, seed: seed, limit: limit)
    let folder: String? =
      switch self {
      case .fashionMNIST: try Fixtures.path("datasets/fashion-mnist")
      case .fashionMNISTFull: DatasetSource.debianFolder
      case .folder(let path):
        FileManager.default.fileExists(atPath: "\(path)/t10k-images-idx3-ubyte")
          || FileManager.default.fileExists(atPath: "\(path)/t10k-images-idx3-ubyte.gz")
          ? path : nil
      case .digits, .teacher, .table: nil
      }
    guard let folder else {
      let indices = Array(0..<loaded.dataset.count)
      let test = indices.filter { $0 % 6 == 5 }
      guard !test.isEmpty else {
        throw DataFileError(
          "\(name) has \(loaded.dataset.count) examples; at least 6 were expected, of which every sixth "
            + "becomes the test set. Use more data.")
      }
      return TrainingData(
        training: loaded.dataset.subset(indices.filter { $0 % 6 != 5 }),
        test: loaded.dataset.subset(test), classCount: loaded.classCount, files: loaded.files,
        testOrigin: "every sixth example")
    }
    let test = try DatasetSource.readFolder(folder, part: "t10k", name: name, limit: limit)
    guard test.dataset.inputs.rowCount == loaded.dataset.inputs.rowCount else {
      throw DataFileError(
        "\(folder): the test images have \(test.dataset.inputs.rowCount) pixels and the training images "
          + "\(loaded.dataset.inputs.rowCount); equal sizes were expected. Use files of one data set."
      )
    }
    return TrainingData(
      training: loaded.dataset, test: test.dataset,
      classCount: max(loaded.classCount, test.classCount), files: loaded.files + test.files,
      testOrigin: "the t10k files")
  }
}
