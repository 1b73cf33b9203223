import CLAPACKE
import DenseAlgebra
import Foundation
import Testing

/// LAPACK and BLAS as the tests see them: column-major `Matrix` in, `Matrix` out, `info` checked.
///
/// It shares no code with Sources, which is what makes its agreement worth something. Symmetric
/// input is read from the lower triangle, as the library under test does.
public enum LAPACK {
  /// A routine that returned a nonzero `info`: negative, argument −info is bad (or holds a NaN);
  /// positive, the numerical failure that the routine's documentation names.
  public struct Failure: Error, Equatable, CustomStringConvertible {
    public let routine: String
    public let info: Int

    public init(routine: String, info: Int) {
      self.routine = routine
      self.info = info
    }

    public var description: String { "\(routine) returned info = \(info)" }
  }

  /// Name, version and, for OpenBLAS, processor core of the library that really answers: for
  /// example "reference LAPACK 3.11.0" or "OpenBLAS 0.3.21 (Haswell), LAPACK 3.9.1".
  public static let name: String = {
    var major: LAPACKInteger = 0
    var minor: LAPACKInteger = 0
    var patch: LAPACKInteger = 0
    LAPACKE_ilaver(&major, &minor, &patch)
    let version = "LAPACK \(major).\(minor).\(patch)"
    guard let configuration = openBLASText("openblas_get_config") else {
      return libraryFiles.contains { $0.contains("libmkl") || $0.contains("libblis") }
        ? version : "reference \(version)"
    }
    // The configuration begins "OpenBLAS 0.3.21 NO_LAPACKE DYNAMIC_ARCH …".
    let words = configuration.split(separator: " ").prefix(2).joined(separator: " ")
    return "\(words) (\(openBLASText("openblas_get_corename") ?? "core unknown")), \(version)"
  }()

  /// The name with the files it was read from.
  public static let library: String = {
    let files = libraryFiles.isEmpty ? "files unknown" : libraryFiles.joined(separator: ", ")
    return "\(name) (\(files))"
  }()

  /// Called by every routine: sets one thread and prints the library, the first time only.
  ///
  /// OpenBLAS reads its variable while it is loaded, so `setenv` here serves the processes started
  /// by exit tests and the call of its own function serves this one.
  static func prepare() { _ = prepared }

  private static let prepared: Void = {
    setenv("OPENBLAS_NUM_THREADS", "1", 1)
    typealias SetThreadCount = @convention(c) (CInt) -> Void
    if let symbol = openBLASSymbol("openblas_set_num_threads") {
      unsafeBitCast(symbol, to: SetThreadCount.self)(1)
    }
    print("Oracle: \(library)")
  }()

  private static func openBLASText(_ function: String) -> String? {
    typealias Text = @convention(c) () -> UnsafePointer<CChar>
    return openBLASSymbol(function).map { String(cString: unsafeBitCast($0, to: Text.self)()) }
  }

  /// A function of OpenBLAS, looked up while running: reference LAPACK has none of them.
  private static func openBLASSymbol(_ function: String) -> UnsafeMutableRawPointer? {
    for file in libraryFiles {
      if let handle = dlopen(file, RTLD_LAZY), let symbol = dlsym(handle, function) {
        return symbol
      }
    }
    return nil
  }

  /// The BLAS and LAPACK files mapped into this process, by Linux's list of mappings.
  private static let libraryFiles: [String] = {
    // Read in pieces to the end: reading by path stops at the first page of this special file.
    let bytes = try? FileHandle(forReadingAtPath: "/proc/self/maps")?.readToEnd()
    let mappings = String(decoding: bytes ?? Data(), as: UTF8.self)
    let paths = mappings.split(separator: "\n").compactMap { $0.split(separator: " ").last }
    let names = ["libblas", "liblapack.", "libopenblas", "libmkl", "libblis"]
    let found = paths.filter { path in names.contains { path.contains("/\($0)") } }
    return Set(found.map(String.init)).sorted()
  }()

  static func check(_ routine: String, _ info: LAPACKInteger) throws(Failure) {
    if info != 0 { throw Failure(routine: routine, info: Int(info)) }
  }

  static func requireSquare(_ a: Matrix, _ routine: String) {
    precondition(a.isSquare, "\(routine): \(a.rowCount) × \(a.columnCount)")
  }

  static func character(_ scalar: Unicode.Scalar) -> CChar { CChar(UInt8(ascii: scalar)) }
}

extension Matrix {
  var rows: LAPACKInteger { LAPACKInteger(rowCount) }
  var columns: LAPACKInteger { LAPACKInteger(columnCount) }
  /// The leading dimension, which LAPACK wants to be at least 1 even for empty matrices.
  var leading: LAPACKInteger { LAPACKInteger(max(1, rowCount)) }

  /// A vector as an n × 1 matrix.
  public init(column vector: Vector) {
    self.init(rowCount: vector.count, columnCount: 1, storage: vector.elements)
  }

  /// The matrix with everything above the diagonal set to zero.
  func zeroingUpper() -> Matrix {
    Matrix(rowCount: rowCount, columnCount: columnCount) { $0 >= $1 ? self[$0, $1] : 0 }
  }

  /// The symmetric matrix whose lower triangle is this one's.
  func mirroringLower() -> Matrix {
    Matrix(rowCount: rowCount, columnCount: columnCount) { self[max($0, $1), min($0, $1)] }
  }
}
