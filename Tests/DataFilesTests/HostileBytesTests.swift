import DataFiles
import DenseAlgebra
import Testing

/// Readers meet bytes that nobody wrote: each answers with a value or with a sentence.
@Suite struct HostileBytesTests {
  enum Reader: String, CaseIterable {
    case npy, storedNPZ, deflatedNPZ, plainIDX, packedIDX, gzip, table

    /// A valid file.
    var file: [UInt8] {
      switch self {
      case .npy: NumpyFiles.fortranOrder
      case .storedNPZ: NumpyFiles.stored
      case .deflatedNPZ: NumpyFiles.deflated
      case .plainIDX: IDXTests.file
      case .packedIDX: Deflate.gzip(IDXTests.file)
      case .gzip: DeflateTests.gzipped + DeflateTests.gzipped
      case .table: Array("x1,\"x \"\"2\"\"\",y\r\n1,-2.5e3,0\r\n\r\n\"3\",4,1\r\n".utf8)
      }
    }

    /// Reads bytes and tells how many numbers came out; the limit is small, so that a size that
    /// is believed before it is checked shows.
    func read(_ bytes: [UInt8]) throws -> Int {
      let limit = 1 << 16
      switch self {
      case .npy: return try NPY.decode(bytes, name: "f", limit: limit).elements.count
      case .storedNPZ, .deflatedNPZ:
        return try NPZ.decode(bytes, name: "f", limit: limit).reduce(0) {
          $0 + $1.array.elements.count
        }
      case .plainIDX, .packedIDX:
        return try IDX.decode(bytes, name: "f", limit: limit).bytes.count
      case .gzip: return try Deflate.gunzip(bytes, name: "f", limit: limit).count
      case .table:
        return try LabelledCSV.decode(bytes, name: "f", labelColumn: "y", limit: limit).inputs
          .elements.count
      }
    }
  }

  @Test(arguments: Reader.allCases)
  func everyPrefixGivesAValueOrASentence(reader: Reader) throws {
    let file = reader.file
    #expect(try reader.read(file) > 0)
    for count in 0..<file.count { check(reader, Array(file.prefix(count)), "prefix \(count)") }
  }

  @Test(arguments: Reader.allCases)
  func twoThousandMutationsGiveAValueOrASentence(reader: Reader) {
    var generator = SplitMix64(seed: 20_260_101)
    let file = reader.file
    for round in 0..<2000 {
      var bytes = file
      for _ in 0...Int.random(in: 0..<4, using: &generator) {
        let position = Int.random(in: 0..<bytes.count, using: &generator)
        switch Int.random(in: 0..<5, using: &generator) {
        case 0: bytes[position] ^= 1 << UInt8.random(in: 0..<8, using: &generator)
        case 1: bytes[position] = [0, 1, 0x7F, 0x80, 0xFF].randomElement(using: &generator)!
        case 2: bytes.remove(at: position)
        case 3: bytes.insert(UInt8.random(in: 0...255, using: &generator), at: position)
        default:
          // A run of high bytes: what turns sizes and offsets huge.
          for index in position..<min(position + 8, bytes.count) { bytes[index] = 0xFF }
        }
      }
      check(reader, bytes, "round \(round)")
    }
  }

  private func check(_ reader: Reader, _ bytes: [UInt8], _ place: String) {
    do {
      let count = try reader.read(bytes)
      #expect(count <= 1 << 16, "\(reader), \(place)")
    } catch let error as DataFileError {
      #expect(error.message.hasPrefix("f"), "\(reader), \(place): \(error.message)")
    } catch {
      Issue.record("\(reader), \(place): \(error)")
    }
  }
}
