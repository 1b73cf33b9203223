/// Files that are given for an `.npz` or `.npy` file by mistake.
enum ForeignFormat {
  /// Why pickles are refused, and the Python that makes a file that can be read.
  static let pickleAdvice =
    "A Python pickle can run code when opened, so it is never read. Save the arrays again with "
    + "import numpy as np; np.savez(path, name=np.asarray(value, dtype=float))."

  /// The error for bytes that begin neither as `.npy` nor as `.npz`.
  static func error(_ bytes: [UInt8], name: String) -> DataFileError {
    // A pickle of protocol 2 or later begins with the opcode 0x80 and the protocol.
    if bytes.count >= 2, bytes[0] == 0x80, (2...5).contains(bytes[1]) {
      return DataFileError("\(name): this is a Python pickle. \(pickleAdvice)")
    }
    let advice = "Save the arrays with numpy.savez(path, name=array)."
    let known: [(start: [UInt8], format: String)] = [
      (Array("\u{89}HDF".unicodeScalars.map { UInt8($0.value) }), "an HDF5 file"),
      ([0x1F, 0x8B], "a gzip file"),
      (Array("MATLAB 5.0".utf8), "a MATLAB file"),
      (Array("PK".utf8), "a ZIP archive"),
    ]
    if bytes.isEmpty { return DataFileError("\(name): the file is empty. \(advice)") }
    let format = known.first { bytes.starts(with: $0.start) }?.format
    return DataFileError(
      "\(name): this is \(format ?? "not a file that numpy writes"), and an .npy or .npz file is "
        + "expected. \(advice)")
  }
}
