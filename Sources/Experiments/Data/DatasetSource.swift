import DataFiles
import DenseAlgebra
import Fixtures
import Foundation
import Networks

/// A data set by name or by place: what it is, where it comes from, and how it is read.
public enum DatasetSource: Equatable, Sendable {
  /// The class-balanced subset of Fashion-MNIST that is shipped with natgrad.
  case fashionMNIST
  /// The full Fashion-MNIST of Debian's package dataset-fashion-mnist.
  case fashionMNISTFull
  /// The UCI 8×8 digits as scikit-learn carries them, whole.
  case digits
  /// A seeded data set whose labels a random teacher network draws.
  case teacher
  /// A folder of IDX files with MNIST's names.
  case folder(String)
  /// A CSV file with a header row and the named label column.
  case table(path: String, labelColumn: String)

  /// The names that need no path, for `natgrad list` and for the command line.
  public static let named: [(name: String, source: DatasetSource, explanation: String)] = [
    (
      "fashion-mnist", .fashionMNIST,
      "shipped: 2,560 training and 520 test images of Fashion-MNIST, class-balanced (MIT)"
    ),
    (
      "fashion-mnist-full", .fashionMNISTFull,
      "all 60,000 + 10,000 images, from Debian's package dataset-fashion-mnist"
    ),
    ("digits", .digits, "shipped: the UCI 8×8 digits, 1,797 images (CC BY 4.0)"),
    (
      "teacher", .teacher,
      "2,048 examples with normal inputs whose labels a seeded random network draws"
    ),
  ]

  /// The folder in which Debian's package puts the full data set.
  static let debianFolder = "/usr/share/datasets/fashion-mnist"

  /// The name in tables.
  public var name: String {
    switch self {
    case .folder(let path): path
    case .table(let path, _): path
    default: DatasetSource.named.first { $0.source == self }?.name ?? ""
    }
  }
}

/// A data set as read, with what a manifest records of it.
public struct LoadedDataset: Sendable {
  public let dataset: Dataset
  /// The number of classes.
  public let classCount: Int
  /// Path-free names and SHA-256 of the files read; empty for generated data.
  public let files: [(name: String, sha256: String)]
}

extension DatasetSource {
  /// Reads (or generates) the training data.
  ///
  /// Pixels are scaled to [0, 1] (digits by 1/16). Throws one sentence where a file is missing,
  /// malformed or inconsistent; of a folder or table also where a file takes more than `limit`
  /// bytes, unpacked. `widths` and `seed` shape the teacher's data only.
  public func load(
    widths: [Int], seed: UInt64 = 1, limit: Int = InputFile.standardLimit
  ) throws -> LoadedDataset {
    switch self {
    case .fashionMNIST:
      return try DatasetSource.readFolder(
        Fixtures.path("datasets/fashion-mnist"), name: name)
    case .fashionMNISTFull:
      do {
        return try DatasetSource.readFolder(DatasetSource.debianFolder, name: name)
      } catch let error as DataFileError {
        throw DataFileError(
          error.message
            + " The full Fashion-MNIST comes with Debian's package: apt-get install dataset-fashion-mnist"
        )
      }
    case .digits:
      let path = try Fixtures.path("datasets/digits/digits.csv")
      return try DatasetSource.readTable(path, labelColumn: "label", name: name, scale: 1.0 / 16)
    case .teacher:
      let dataset = try Dataset.teacher(
        widths: widths, activation: .tanh, likelihood: .categorical, count: 2048, seed: seed)
      return LoadedDataset(dataset: dataset, classCount: widths.last ?? 0, files: [])
    case .folder(let path): return try DatasetSource.readFolder(path, name: name, limit: limit)
    case .table(let path, let labelColumn):
      return try DatasetSource.readTable(
        path, labelColumn: labelColumn, name: name, scale: 1, limit: limit)
    }
  }

  /// One part of a folder of IDX files: `train`, or `t10k` for the test images.
  static func readFolder(
    _ folder: String, part: String = "train", name: String,
    limit: Int = InputFile.standardLimit
  ) throws -> LoadedDataset {
    func find(_ stem: String) throws -> String {
      for ending in ["", ".gz"]
      where FileManager.default.fileExists(atPath: "\(folder)/\(stem)\(ending)") {
        return "\(folder)/\(stem)\(ending)"
      }
      throw DataFileError(
        "\(folder) holds neither \(stem) nor \(stem).gz; a folder of IDX files with MNIST's names "
          + "was expected. Check the path given to --dataset.")
    }
    let imagePath = try find("\(part)-images-idx3-ubyte")
    let labelPath = try find("\(part)-labels-idx1-ubyte")
    let images = try IDX.read(path: imagePath, limit: limit)
    let labels = try IDX.read(path: labelPath, limit: limit)
    guard images.shape.count == 3 else {
      throw DataFileError(
        "\(imagePath) has shape \(images.shape); images × rows × columns was expected. "
          + "Check that the file holds images.")
    }
    guard labels.shape == [images.shape[0]] else {
      throw DataFileError(
        "\(labelPath) has shape \(labels.shape); [\(images.shape[0])] was expected, one label for "
          + "each image. Use the labels that belong to these images.")
    }
    let pixels = images.shape[1] * images.shape[2]
    let dataset = Dataset(
      name: name,
      inputs: Matrix(
        rowCount: pixels, columnCount: images.shape[0],
        storage: images.bytes.map { Double($0) / 255 }),
      targets: .labels(labels.bytes.map { Int($0) }))
    return LoadedDataset(
      dataset: dataset, classCount: Int(labels.bytes.max() ?? 0) + 1,
      files: try [imagePath, labelPath].map { try record($0, limit: limit) })
  }

  private static func readTable(
    _ path: String, labelColumn: String, name: String, scale: Double,
    limit: Int = InputFile.standardLimit
  ) throws -> LoadedDataset {
    let table = try LabelledCSV.read(path: path, labelColumn: labelColumn, limit: limit)
    let labels = try table.labels(path)
    if let index = labels.firstIndex(where: { $0 < 0 }) {
      throw DataFileError(
        "\(path), line \(table.lines[index]), column \"\(labelColumn)\": the label is "
          + "\(labels[index]); classes are counted from 0. Renumber the labels.")
    }
    let inputs = try table.inputs.matrix(path).transposed
    return LoadedDataset(
      dataset: Dataset(name: name, inputs: scale * inputs, targets: .labels(labels)),
      classCount: (labels.max() ?? 0) + 1, files: [try record(path, limit: limit)])
  }

  private static func record(
    _ path: String, limit: Int
  ) throws -> (name: String, sha256: String) {
    let file = path.split(separator: "/").last.map(String.init) ?? path
    return (file, SHA256.hexDigest(try InputFile.read(path: path, limit: limit)))
  }
}
