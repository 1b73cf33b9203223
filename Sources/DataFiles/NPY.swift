/// The array files of numpy.
///
/// Layout: the six bytes of "\x93NUMPY", two version bytes, the length of the header (2 bytes, from
/// version 2 on 4 bytes, lowest first), the header, the elements. Source: NumPy,
/// `numpy.lib.format`, "Format specification".
public enum NPY {
  static let magic: [UInt8] = [0x93] + Array("NUMPY".utf8)
  private static let longestHeader = 1 << 16

  /// Reads one array from the bytes of an `.npy` file; `name` is what messages call it.
  ///
  /// Floats of 4 and 8 bytes, integers of 1, 2, 4 and 8 bytes and truth values are read, in both
  /// byte orders and both array orders. Throws `DataFileError` for every other type, for Python
  /// objects (which are pickled: reading them could run code), for a damaged header, for a length
  /// that is not the one the shape asks for, and for an array over `limit` bytes as `Double`s.
  public static func decode(
    _ bytes: [UInt8], name: String, limit: Int = InputFile.standardLimit
  ) throws(DataFileError) -> NumericArray {
    try decode(bytes, name: name, limit: limit, taken: 0)
  }

  /// The same for an array of several, where `taken` bytes of the limit are in use already.
  static func decode(
    _ bytes: [UInt8], name: String, limit: Int, taken: Int
  ) throws(DataFileError) -> NumericArray {
    guard bytes.starts(with: magic) else { throw ForeignFormat.error(bytes, name: name) }
    let (header, start) = try header(of: bytes, name: name)
    guard let element = NPYElement(typeCode: header.typeCode) else {
      throw typeError(header.typeCode, name: name)
    }
    // Beyond this, the cost of counting up an index would no longer be that of the elements.
    guard header.shape.count <= ArrayShape.mostDimensions else {
      throw DataFileError(
        "\(name): the array has \(header.shape.count) dimensions, and at most "
          + "\(ArrayShape.mostDimensions) are read. Reshape the array before saving it.")
    }
    let shape = ArrayShape.text(header.shape)
    guard let count = ArrayShape.elementCount(header.shape, most: (limit - taken) / 8) else {
      let others = taken > 0 ? " together with what was read before it" : ""
      throw DataFileError(
        "\(name): an array of shape \(shape)\(others) needs more than the limit of \(limit) "
          + "bytes. Give a smaller array or raise the memory limit.")
    }
    guard bytes.count - start == count * element.width else {
      throw DataFileError(
        "\(name): the shape \(shape) of type \(header.typeCode) needs \(count * element.width) "
          + "bytes, and \(bytes.count - start) follow the header. "
          + "The file is cut or damaged; save the array again.")
    }
    let elements: [Double]
    do {
      let data = bytes.span.extracting(start..<bytes.count)
      elements =
        header.isFortranOrder
        ? try element.decode(data, positions: FortranOrder(shape: header.shape, count: count))
        : try element.decode(data, positions: 0..<count)
    } catch {
      throw DataFileError(
        "\(name): element \(error.position) (in the order of the file) is \(error.number), an "
          + "integer too large to be read exactly. Save the array as float.")
    }
    return NumericArray(shape: header.shape, elements: elements, kind: element.kind)
  }

  /// The bytes of an `.npy` file, the same as numpy 2 writes: version 1, C order, little-endian.
  ///
  /// An array of more than 64 dimensions, which numpy has not, is a caller's mistake.
  public static func encode(_ array: NumericArray) -> [UInt8] {
    precondition(
      array.shape.count <= ArrayShape.mostDimensions, "\(array.shape.count) dimensions")
    let typeCode =
      switch array.kind {
      case .float64: "<f8"
      case .float32: "<f4"
      case .integer: "<i8"
      case .boolean: "|b1"
      }
    var header = "{'descr': '\(typeCode)', 'fortran_order': False, "
    header += "'shape': \(ArrayShape.text(array.shape)), }"
    // numpy leaves room for the first dimension to grow to 21 digits, then aligns to 64 bytes.
    if let first = array.shape.first {
      header += String(repeating: " ", count: 21 - "\(first)".utf8.count)
    }
    let unpadded = magic.count + 4 + header.utf8.count + 1
    header += String(repeating: " ", count: 63 - (unpadded + 63) % 64) + "\n"

    var bytes = magic + [1, 0]
    bytes.append(header.utf8.count, count: 2)
    bytes += header.utf8
    bytes.reserveCapacity(bytes.count + 8 * array.elements.count)
    for element in array.elements {
      switch array.kind {
      case .float64: bytes.append(Int(truncatingIfNeeded: element.bitPattern), count: 8)
      case .float32: bytes.append(Int(Float(element).bitPattern), count: 4)
      case .integer: bytes.append(Int(element), count: 8)
      case .boolean: bytes.append(element == 0 ? 0 : 1)
      }
    }
    return bytes
  }

  private static func header(
    of bytes: [UInt8], name: String
  ) throws(DataFileError) -> (header: NPYHeader, end: Int) {
    let cut = DataFileError(
      "\(name): the file ends inside its .npy header, after \(bytes.count) bytes. "
        + "It was cut; save or copy it again.")
    guard bytes.count >= 8 else { throw cut }
    let version = bytes[6]
    guard (1...3).contains(version) else {
      throw DataFileError(
        "\(name): the .npy format version is \(version).\(bytes[7]), and versions 1 to 3 are read. "
          + "Save the array again with numpy.")
    }
    let start = version == 1 ? 10 : 12
    guard let length = bytes.integer(at: 8, count: start - 8) else { throw cut }
    guard length <= longestHeader else {
      throw DataFileError(
        "\(name): the .npy header announces \(length) bytes, and at most \(longestHeader) are read. "
          + "The file is damaged; save the array again.")
    }
    guard length <= bytes.count - start else { throw cut }
    guard let header = NPYHeader(Array(bytes[start..<start + length])) else {
      throw DataFileError(
        "\(name): the .npy header is not numpy's dictionary of 'descr', 'fortran_order' and "
          + "'shape'. The file is damaged; save the array again.")
    }
    return (header, start + length)
  }

  private static func typeError(_ typeCode: String, name: String) -> DataFileError {
    if typeCode.hasPrefix("|O") || typeCode.contains("'|O'") {
      return DataFileError(
        "\(name): the array holds Python objects (type |O). \(ForeignFormat.pickleAdvice)")
    }
    return DataFileError(
      "\(name): the element type '\(Excerpt(typeCode))' is not read; 32 and 64-bit floats, "
        + "integers and booleans are. Save it as numpy.asarray(value, dtype=float).")
  }
}
