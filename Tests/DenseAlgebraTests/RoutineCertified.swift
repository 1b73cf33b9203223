import DenseAlgebra
import Fixtures
import Foundation

/// A matrix of Fixtures/matrices with the answers that mpmath gave at 50 digits, rounded once.
struct CertifiedMatrix: Sendable {
  let name: String
  let matrix: Matrix
  /// X with A = X·Xᵀ exactly, for graded matrices.
  let factor: Matrix?
  let condition: Double?
  let eigenvalues: Vector?
  let singularValues: Vector
  let inverse: Matrix?
  let logAbsoluteDeterminant: Double?
  let rightHandSide: Vector?
  let solution: Vector?

  private struct File: Decodable {
    let schema: String
    let name: String
    let size: Int
    let entries: [Double]
    let factor: [Double]?
    let condition: Double?
    let eigenvalues: [Double]?
    let singularValues: [Double]
    let inverse: [Double]?
    let logAbsoluteDeterminant: Double?
    let rightHandSide: [Double]?
    let solution: [Double]?
  }

  private init(_ file: File) {
    func square(_ entries: [Double]) -> Matrix {
      Matrix(rowCount: file.size, columnCount: file.size, storage: entries)
    }
    name = file.name
    matrix = square(file.entries)
    factor = file.factor.map(square)
    condition = file.condition
    eigenvalues = file.eigenvalues.map { Vector($0) }
    singularValues = Vector(file.singularValues)
    inverse = file.inverse.map(square)
    logAbsoluteDeterminant = file.logAbsoluteDeterminant
    rightHandSide = file.rightHandSide.map { Vector($0) }
    solution = file.solution.map { Vector($0) }
  }

  /// All files of the folder, by name.
  static func all() throws -> [CertifiedMatrix] {
    let folder = try Fixtures.path("matrices")
    return try FileManager.default.contentsOfDirectory(atPath: folder).sorted()
      .filter { $0.hasSuffix(".json") }
      .map { name in
        let bytes = try Data(contentsOf: URL(fileURLWithPath: "\(folder)/\(name)"))
        return CertifiedMatrix(try JSONDecoder().decode(File.self, from: bytes))
      }
  }
}
