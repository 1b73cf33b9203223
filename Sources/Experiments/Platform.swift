import DataFiles
import Foundation

#if canImport(Glibc)
  import Glibc
#endif

/// What a result may depend on beside the source: the instruction set and the C library.
public enum Platform {
  /// The target of the build; every build is portable, no flag is asked of users.
  public static var instructionSet: String {
    #if arch(x86_64)
      "x86_64 baseline (SSE2, no fused multiply-add)"
    #elseif arch(arm64)
      "arm64 baseline"
    #else
      "other"
    #endif
  }

  /// The name and version of the C library.
  public static var cLibrary: String {
    #if canImport(Glibc)
      var text = [CChar](repeating: 0, count: 64)
      let length = confstr(Int32(_CS_GNU_LIBC_VERSION), &text, text.count)
      return String(decoding: text.prefix(max(length - 1, 0)).map { UInt8($0) }, as: UTF8.self)
    #else
      return "the platform's C library"
    #endif
  }

  /// A digest of exp, log and tanh at a thousand points: the last bits of a C library depend on its
  /// version and on the processor that it runs on.
  public static let elementaryFunctions: String = {
    let values = (1...1000).flatMap { index -> [Double] in
      let x = Double(index) / 97
      return [exp(-x), log(x), tanh(x / 3)]
    }
    let bytes = values.flatMap { value in
      withUnsafeBytes(of: value.bitPattern.littleEndian) { Array($0) }
    }
    return String(SHA256.hexDigest(bytes).prefix(16))
  }()
}
