import DataFiles
import Foundation
import Testing

@Suite("Bad data sets get one sentence, exit code 2 and no files")
struct BadDatasetTests {
  /// A data set in MNIST's format: 8 images of 2 × 2 pixels, classes 0 and 1.
  private static let images: [UInt8] =
    [0, 0, 8, 3, 0, 0, 0, 8, 0, 0, 0, 2, 0, 0, 0, 2] + (0..<32).map { UInt8(7 * $0) }
  private static let labels: [UInt8] = [0, 0, 8, 1, 0, 0, 0, 8, 0, 1, 0, 1, 1, 0, 1, 0]

  private static let arguments = [
    "compare", "--dataset", "mnist/", "--widths", "4,3,2", "--layers", "1-2", "--seeds", "1",
    "--iterations", "0", "--last-iteration", "0", "--batch", "8", "--output", "results",
    "--structures", "kfac", "--quiet",
  ]

  /// Writes the two files into a folder of MNIST's names; nil leaves one out.
  private func write(_ images: [UInt8]?, _ labels: [UInt8]?, to folder: String) throws {
    let mnist = "\(folder)/mnist"
    try FileManager.default.createDirectory(atPath: mnist, withIntermediateDirectories: false)
    for (name, bytes) in [("images-idx3", images), ("labels-idx1", labels)] {
      guard let bytes else { continue }
      let ending = bytes.starts(with: [0x1F, 0x8B]) ? ".gz" : ""
      try Data(bytes).write(to: URL(fileURLWithPath: "\(mnist)/train-\(name)-ubyte\(ending)"))
    }
  }

  private func expectRefused(
    _ images: [UInt8]?, _ labels: [UInt8]?, _ parts: String...,
    sourceLocation: SourceLocation = #_sourceLocation
  ) throws {
    try withTemporaryFolder { folder in
      try write(images, labels, to: folder)
      try expectRefusal(Self.arguments, parts, in: folder, sourceLocation: sourceLocation)
    }
  }

  @Test(arguments: [false, true])
  func aGoodFolderIsRead(isPacked: Bool) throws {
    try withTemporaryFolder { folder in
      if isPacked {
        try write(Deflate.gzip(Self.images), Deflate.gzip(Self.labels), to: folder)
      } else {
        try write(Self.images, Self.labels, to: folder)
      }
      let program = try Program.run(Self.arguments, directory: folder)
      #expect(program.status == 0, "\(program.stderr)")
      #expect(try names(in: folder) == ["mnist", "results"])
    }
  }

  @Test func truncatedImages() throws {
    try expectRefused(
      Array(Self.images.dropLast()), Self.labels, "train-images-idx3-ubyte", "(8, 2, 2)", "32",
      "31",
      "cut or damaged")
    try expectRefused(Array(Self.images.prefix(9)), Self.labels, "train-images", "cut or damaged")
    try expectRefused([], Self.labels, "train-images", "not an IDX file")
  }

  @Test func filesThatAreNoIDX() throws {
    let text = Array("label,pixel1,pixel2\n".utf8)
    try expectRefused(text, Self.labels, "train-images", "not an IDX file", "6c 61 62 65")
    try expectRefused(Self.images, text, "train-labels", "not an IDX file")
  }

  @Test func aCutGzip() throws {
    let packed = Deflate.gzip(Self.images)
    for kept in [packed.count - 1, packed.count / 2, 11] {
      try expectRefused(
        Array(packed.prefix(kept)), Deflate.gzip(Self.labels), "train-images-idx3-ubyte.gz", "cut")
    }
  }

  @Test func damagedGzip() throws {
    var packed = Deflate.gzip(Self.images)
    // The checksum is the last but one group of four bytes.
    packed[packed.count - 8] ^= 1
    try expectRefused(packed, Self.labels, "train-images-idx3-ubyte.gz", "damaged")
  }

  @Test func missingFiles() throws {
    try expectRefused(
      Self.images, nil, "neither train-labels-idx1-ubyte nor train-labels-idx1-ubyte.gz")
    try expectRefused(nil, nil, "neither train-images-idx3-ubyte nor", "Check the path")
  }

  @Test func filesThatDoNotBelongTogether() throws {
    var labels = Self.labels.dropLast()
    labels[7] = 7
    try expectRefused(Self.images, Array(labels), "train-labels", "[7]", "[8]", "Use the labels")
    try expectRefused(Self.labels, Self.labels, "train-images", "images × rows × columns")
  }

  @Test func noExamples() throws {
    let images: [UInt8] = [0, 0, 8, 3, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 2]
    try expectRefused(images, [0, 0, 8, 1, 0, 0, 0, 0], "mnist/", "0 examples")
  }

  @Test func moreClassesThanOutputs() throws {
    var labels = Self.labels
    labels[8] = 200
    try expectRefused(Self.images, labels, "the last size is 2", "201 classes")
  }

  @Test(arguments: [
    ("x,label\n0.5,0\nnan,1\n", ["table.csv", "line 3", "nan"]),
    ("x,label\n0.5,0\n0.25,0.5\n", ["table.csv", "label", "whole"]),
    ("x,label\n0.5,0\n0.25,-1\n", ["table.csv", "-1"]),
    ("x,class\n0.5,0\n", ["table.csv", "label", "class"]),
    ("x,label\n0.5,0\n0.5\n", ["table.csv", "line 3"]),
    ("x,label\n", ["table.csv"]),
    ("", ["table.csv"]),
  ])
  func tablesThatCannotBeUsed(text: String, parts: [String]) throws {
    try withTemporaryFolder { folder in
      try Data(text.utf8).write(to: URL(fileURLWithPath: "\(folder)/table.csv"))
      var arguments = Self.arguments
      arguments[2] = "table.csv"
      arguments[4] = "1,3,2"
      arguments[arguments.count - 6] = "1"
      try expectRefusal(arguments, parts, in: folder)
    }
  }
}
