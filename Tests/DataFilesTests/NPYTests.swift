import DataFiles
import DenseAlgebra
import Testing

@Suite struct NPYTests {
  static let matrix = NumericArray(shape: [2, 3], elements: [0, 1, 2, 3, 4, 5])

  @Test(arguments: [NumpyFiles.matrix, NumpyFiles.fortranOrder, NumpyFiles.version2])
  func readsNumpysOrdersAndVersionsAsOneArray(file: [UInt8]) throws {
    #expect(try NPY.decode(file, name: "a.npy") == Self.matrix)
  }

  @Test func readsTheThirdVersionOfTheFormat() throws {
    var file = NumpyFiles.version2
    file[6] = 3  // the same layout, the header being UTF-8
    #expect(try NPY.decode(file, name: "a.npy") == Self.matrix)
  }

  @Test func readsASingleNumber() throws {
    #expect(
      try NPY.decode(NumpyFiles.number, name: "a.npy") == NumericArray(shape: [], elements: [2.5]))
  }

  // Source: NumPy 2.4.6, bytes after the header of np.save of [1, -2, 100], [1, 2, 100] where
  // unsigned, [0, 1, 1] as truth values.
  @Test(arguments: [
    ("<f8", "000000000000f03f00000000000000c00000000000005940"),
    (">f8", "3ff0000000000000c0000000000000004059000000000000"),
    ("<f4", "0000803f000000c00000c842"), (">f4", "3f800000c000000042c80000"),
    ("|i1", "01fe64"), ("|u1", "010264"), ("<i2", "0100feff6400"), (">i2", "0001fffe0064"),
    ("<u2", "010002006400"), (">u2", "000100020064"), ("<i4", "01000000feffffff64000000"),
    (">i4", "00000001fffffffe00000064"), ("<u4", "010000000200000064000000"),
    (">u4", "000000010000000200000064"),
    ("<i8", "0100000000000000feffffffffffffff6400000000000000"),
    (">i8", "0000000000000001fffffffffffffffe0000000000000064"),
    ("<u8", "010000000000000002000000000000006400000000000000"),
    (">u8", "000000000000000100000000000000020000000000000064"), ("|b1", "000101"),
  ])
  func readsEveryTypeInBothByteOrders(typeCode: String, data: String) throws {
    let array = try NPY.decode(file(typeCode, "(3,)", bytes(hexadecimal: data)), name: "a.npy")
    let expected: [Double] =
      typeCode == "|b1" ? [0, 1, 1] : typeCode.contains("u") ? [1, 2, 100] : [1, -2, 100]
    #expect(array.elements == expected)
    let kind: NumericArray.Kind =
      switch typeCode.dropFirst() {
      case "f8": .float64
      case "f4": .float32
      case "b1": .boolean
      default: .integer
      }
    #expect(array.kind == kind)
  }

  @Test func reordersThreeDimensionsFromFortranOrder() throws {
    // Source: NumPy 2.4.6, np.asfortranarray(np.arange(24.).reshape(2, 3, 4)), here as bytes.
    let order: [UInt8] = [
      0, 12, 4, 16, 8, 20, 1, 13, 5, 17, 9, 21, 2, 14, 6, 18, 10, 22, 3, 15, 7, 19, 11, 23,
    ]
    let array = try NPY.decode(
      file("|u1", "(2, 3, 4)", order, fortranOrder: true), name: "a.npy")
    #expect(array.elements == (0..<24).map(Double.init))
  }

  @Test func writesTheBytesThatNumpyWrites() {
    #expect(NPY.encode(Self.matrix) == NumpyFiles.matrix)
    #expect(NPY.encode(NumericArray(2.5)) == NumpyFiles.number)
  }

  @Test(arguments: [
    NumericArray(shape: [0], elements: []), NumericArray(shape: [0, 785], elements: []),
    NumericArray(shape: [1, 1, 1], elements: [-.infinity]),
    NumericArray(shape: [2], elements: [.leastNonzeroMagnitude, 0.1]),
    NumericArray(shape: [2], elements: [0.5, -3], kind: .float32),
    NumericArray(shape: [2], elements: [-9_007_199_254_740_992, 7], kind: .integer),
    NumericArray(shape: [2, 1], elements: [1, 0], kind: .boolean),
  ])
  func readsWhatItWrites(array: NumericArray) throws {
    #expect(try NPY.decode(NPY.encode(array), name: "a.npy") == array)
  }

  @Test func keepsMatricesThroughTheChangeOfOrder() throws {
    let matrix = Matrix(rows: [[1, 2, 3], [4, 5, 6]])
    #expect(NumericArray(matrix).elements == [1, 2, 3, 4, 5, 6])
    #expect(try NumericArray(matrix).matrix() == matrix)
    #expect(try NumericArray(Vector([7, 8])).vector() == Vector([7, 8]))
  }

  @Test func refusesPythonObjectsAndShowsTheTwoLines() {
    expectMessage(
      "w.npy", "|O", "can run code", "import numpy as np",
      "np.savez(path, name=np.asarray(value, dtype=float))"
    ) { try NPY.decode(NumpyFiles.objects, name: "w.npy") }
  }

  @Test(arguments: [
    "<c16", "<f2", "<f16", "<U5", "|S3", "|V8", "<M8[ns]", "|f8", "f8", "", "<f0", "<i3",
  ])
  func namesATypeThatIsNotRead(typeCode: String) {
    expectMessage("w.npy", "'\(typeCode)'", "dtype=float") {
      try NPY.decode(file(typeCode, "(1,)", [0]), name: "w.npy")
    }
  }

  @Test func namesAStructuredTypeThatIsNotRead() {
    let header = "{'descr': [('a', '<f8')], 'fortran_order': False, 'shape': (1,), }\n"
    expectMessage("[('a', '<f8')]", "dtype=float") {
      try NPY.decode(file(header: header, []), name: "w.npy")
    }
    let objects = "{'descr': [('a', '|O')], 'fortran_order': False, 'shape': (1,), }\n"
    expectMessage("|O", "np.savez") {
      try NPY.decode(file(header: objects, []), name: "w.npy")
    }
  }

  @Test func refusesALengthThatIsNotTheShapes() {
    let cut = Array(NumpyFiles.matrix.dropLast())
    expectMessage("w.npy", "(2, 3)", "48", "47", "cut") {
      try NPY.decode(cut, name: "w.npy")
    }
    expectMessage("48", "49") {
      try NPY.decode(NumpyFiles.matrix + [0], name: "w.npy")
    }
  }

  @Test(arguments: [
    "(4611686018427387904, 4)", "(0, 4611686018427387904)", "(3037000500, 3037000500)",
    "(134217729,)",
  ])
  func refusesAShapeLargerThanTheLimitBeforeAllocating(shape: String) {
    expectMessage("w.npy", shape, "1073741824", "limit") {
      try NPY.decode(file("<f8", shape, []), name: "w.npy")
    }
  }

  @Test func readsAsManyDimensionsAsNumpyAndNoMore() throws {
    let shape = [Int](repeating: 1, count: 64)
    let array = NumericArray(shape: shape, elements: [7])
    #expect(try NPY.decode(NPY.encode(array), name: "a.npy") == array)
    let ones = String(repeating: "1,", count: 65)
    expectMessage("w.npy", "65 dimensions", "64") {
      try NPY.decode(file("|u1", "(\(ones))", [7]), name: "w.npy")
    }
    let more = NumericArray(shape: shape + [1], elements: [7])
    expectMessage("(1, 1, 1, 1, 1, 1, 1, 1, …; 65 dimensions)") { try more.matrix() }
  }

  @Test func takesALargerLimitFromTheCaller() throws {
    let file = NPY.encode(NumericArray(shape: [3], elements: [1, 2, 3]))
    #expect(try NPY.decode(file, name: "w.npy", limit: 24).shape == [3])
    expectMessage("limit of 23 bytes") {
      try NPY.decode(file, name: "w.npy", limit: 23)
    }
  }

  @Test(arguments: [
    ("<i8", "0100000000002000", "9007199254740993"),
    ("<u8", "0000000000000080", "9223372036854775808"),
    ("<u8", "ffffffffffffffff", "18446744073709551615"),
  ])
  func refusesAnIntegerThatIsNotReadExactly(typeCode: String, data: String, number: String) {
    let file = file(typeCode, "(2,)", Array(repeating: 0, count: 8) + bytes(hexadecimal: data))
    expectMessage("w.npy", "element 1", number, "float") {
      try NPY.decode(file, name: "w.npy")
    }
  }

  @Test(arguments: [
    "{}", "", "{'descr': '<f8'}", "{'descr': '<f8', 'fortran_order': False, 'shape': 3, }",
    "{'descr': '<f8', 'fortran_order': 0, 'shape': (3,), }",
    "{'descr': '<f8', 'fortran_order': False, 'shape': (-3,), }",
    "{'descr': '<f8', 'fortran_order': False, 'shape': (99999999999999999999,), }",
    "{'descr': '<f8', 'fortran_order': False, 'shape': (3,), 'shape': (3,)}",
    "{'descr': '<f8', 'fortran_order': False, 'shape': (3,), 'more': 1}",
    "{'descr': '<f8, 'fortran_order': False, 'shape': (3,)}",
    "{'descr': '<f8', 'fortran_order': False, 'shape': (3,)} x",
    "{'descr': [('a', '<f8'), 'fortran_order': False, 'shape': (3,)}",
  ])
  func refusesAHeaderThatIsNotNumpys(header: String) {
    expectMessage("w.npy", "'descr'", "damaged") {
      try NPY.decode(file(header: header, []), name: "w.npy")
    }
  }

  @Test func readsHeadersOfOtherWriters() throws {
    // Python 2's long integers, double quotes, other order, no spaces.
    let header = "{\"shape\":(1L,2L),\"descr\":\"<i2\",\"fortran_order\":True}"
    let array = try NPY.decode(file(header: header, [1, 0, 2, 0]), name: "a.npy")
    #expect(array == NumericArray(shape: [1, 2], elements: [1, 2], kind: .integer))
  }

  @Test func refusesAHeaderOver64KiBAndUnknownVersions() {
    var long = NumpyFiles.version2
    long[10] = 2
    expectMessage("131188", "65536") {
      try NPY.decode(long, name: "w.npy")
    }
    var version = NumpyFiles.matrix
    version[6] = 4
    expectMessage("version is 4.0") {
      try NPY.decode(version, name: "w.npy")
    }
  }

  @Test(
    arguments: [
      ([0x80, 4, 0x95], "Python pickle"), ([0x80, 2, 0x8A, 0x0A], "np.savez"),
      ([0x89, 0x48, 0x44, 0x46], "HDF5"), ([], "empty"), ([1, 2, 3], "numpy"),
    ] as [([UInt8], String)])
  func recognisesOtherFormats(file: [UInt8], part: String) {
    expectMessage("w.npy", part, "savez") {
      try NPY.decode(file, name: "w.npy")
    }
  }

  @Test func namesShapesAndEntriesThatDoNotFit() {
    let array = NumericArray(shape: [2, 2], elements: [1, 2, .nan, .infinity])
    expectMessage("array 'y'", "[1, 0]", "nan") {
      try array.requireFinite("array 'y'")
    }
    expectMessage("array 'y'", "(2, 2)", "vector") {
      try array.vector("array 'y'")
    }
    expectMessage("()", "matrix") {
      try NumericArray(1).matrix("array 'y'")
    }
    expectMessage("array 'y'", "[1]", "0.5", "whole") {
      try NumericArray(shape: [2], elements: [1, 0.5]).labels("array 'y'")
    }
  }

  private func file(
    _ typeCode: String, _ shape: String, _ data: [UInt8], fortranOrder: Bool = false
  ) -> [UInt8] {
    let order = fortranOrder ? "True" : "False"
    return file(
      header: "{'descr': '\(typeCode)', 'fortran_order': \(order), 'shape': \(shape), }\n", data)
  }

  private func file(header: String, _ data: [UInt8]) -> [UInt8] {
    let start: [UInt8] = [0x93, 0x4E, 0x55, 0x4D, 0x50, 0x59, 1, 0, UInt8(header.utf8.count), 0]
    return start + Array(header.utf8) + data
  }
}
