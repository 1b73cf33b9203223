/// The array files of the MNIST family: unsigned bytes with a shape.
///
/// Layout: two zero bytes, the element type (0x08, unsigned byte), the number of dimensions, each
/// dimension as four bytes with the highest first, the elements with the last index fastest.
/// Source: LeCun, Cortes and Burges, "The MNIST database", section on the IDX file format.
public enum IDX {
  /// Reads an IDX file, plain or gzip-packed; which of the two is seen from the content.
  ///
  /// Throws `DataFileError` where the file is missing, too large, cut, damaged or no IDX file.
  public static func read(
    path: String, limit: Int = InputFile.standardLimit
  ) throws(DataFileError) -> (shape: [Int], bytes: [UInt8]) {
    try decode(InputFile.read(path: path, limit: limit), name: path, limit: limit)
  }

  /// Reads IDX data from memory; `name` is what messages call them.
  public static func decode(
    _ bytes: [UInt8], name: String, limit: Int = InputFile.standardLimit
  ) throws(DataFileError) -> (shape: [Int], bytes: [UInt8]) {
    var plain =
      Deflate.isGzip(bytes) ? try Deflate.gunzip(bytes, name: name, limit: limit) : bytes
    guard plain.count >= 4, plain[0] == 0, plain[1] == 0 else {
      throw DataFileError(
        "\(name): this is not an IDX file: it must begin with the bytes 00 00 08 and the number of "
          + "dimensions, and begins with \(hexadecimal(plain.prefix(4))). "
          + "Give a file of the MNIST family, such as train-images-idx3-ubyte.gz.")
    }
    guard plain[2] == 0x08 else {
      throw DataFileError(
        "\(name): the IDX element type is \(hexadecimal(plain[2...2])); only 08 (unsigned byte), "
          + "which the MNIST family uses, is read. Save the array as unsigned bytes.")
    }
    let dimensionCount = Int(plain[3])
    let start = 4 + 4 * dimensionCount
    guard dimensionCount >= 1, plain.count >= start else {
      throw DataFileError(
        "\(name): the IDX header announces \(dimensionCount) dimensions and the file has "
          + "\(plain.count) bytes in all. It is cut or damaged; copy or fetch it again.")
    }
    let shape = (0..<dimensionCount).map { dimension in
      (0..<4).reduce(0) { $0 << 8 | Int(plain[4 + 4 * dimension + $1]) }
    }
    let expected = ArrayShape.elementCount(shape, most: limit)
    guard expected == plain.count - start else {
      let announced = expected.map { "\($0)" } ?? "more than \(limit)"
      throw DataFileError(
        "\(name): the IDX header announces the shape \(ArrayShape.text(shape)), so \(announced) "
          + "bytes of data, and \(plain.count - start) follow. "
          + "The file is cut or damaged; copy or fetch it again.")
    }
    plain.removeSubrange(..<start)
    return (shape, plain)
  }

  private static func hexadecimal(_ bytes: ArraySlice<UInt8>) -> String {
    guard !bytes.isEmpty else { return "nothing" }
    return bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined(separator: " ")
  }
}
