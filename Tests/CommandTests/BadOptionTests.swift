import Foundation
import Testing

@Suite("Bad values of options get one sentence, exit code 2 and no files")
struct BadOptionTests {
  struct Case: CustomTestStringConvertible {
    let options: [String]
    let parts: [String]
    var testDescription: String { options.joined(separator: " ") }

    /// Options, and what the sentence must hold: what was seen, and what to do.
    init(_ options: String, _ parts: String...) {
      self.options = options.split(separator: " ").map(String.init)
      self.parts = parts
    }
  }

  static let cases = [
    Case("--split 0", "--split 0", "at least 1"),
    Case("--split -3", "--split -3", "at least 1"),
    Case("--damping -0.1", "--damping -0.1", "negative", "at least 0"),
    Case("--damping 0.1,-1", "--damping 0.1,-1", "-1.0 is negative"),
    Case("--damping nan", "--damping nan", "not a finite number", "such as 0.1,0.001"),
    Case("--damping 0.1,inf", "'inf' is not a finite number"),
    Case("--damping 1e200", "--damping 1e200", "at most 1e100"),
    Case("--damping 0.1,,1", "'' is not a finite number"),
    Case("--default-damping 3", "--default-damping 3.0", "not among --damping 0.01,0.1"),
    Case("--structures kfac,efkac", "efkac", "did you mean ekfac?", "tkfac"),
    Case("--structures wrong", "--structures wrong", "unknown name", "kl-kronecker"),
    Case("--dataset digts", "--dataset digts", "did you mean digits?", "fashion-mnist-full"),
    Case("--activation rleu", "--activation rleu", "did you mean relu?", "softplus"),
    Case("--init gloot", "--init gloot", "did you mean glorot?"),
    Case("--init normal:0", "--init normal:0", "'0' is not a positive number"),
    Case("--init normal:x", "--init normal:x", "'x' is not a positive number"),
    Case("--init normal:1e300", "not finite at the start", "--init"),
    Case("--training kfca", "--training kfca", "did you mean kfac?", "sgd"),
    Case("--fisher empircal", "--fisher empircal", "did you mean empirical?", "monte-carlo"),
    Case("--fisher monte-carlo:0", "--fisher monte-carlo:0", "at least 1"),
    Case("--vectorization rows", "--vectorization rows", "did you mean row?"),
    Case("--layers 2-9", "--layers 2-9", "3 layers", "within 1-3"),
    Case("--layers 0-2", "--layers 0-2", "counted from 1"),
    Case("--layers 3-2", "--layers 3-2", "such as 2-4"),
    Case("--layers two", "--layers two", "such as 2-4"),
    Case("--batch 1798", "--batch 1798", "digits has 1797 examples", "from 1 to 1797"),
    Case("--batch 0", "--batch 0", "from 1 to 1797"),
    Case("--batch -5", "--batch -5", "from 1 to 1797"),
    Case("--seeds 0", "--seeds 0", "at least 1"),
    Case("--seeds 100000000000", "--seeds 100000000000", "at most 1000000"),
    Case("--seeds 3,3", "--seeds 3,3", "twice"),
    Case("--weights w.npz --data d.npz", "--dataset was given with --weights", "leave it out"),
    Case("--activations tanh", "--activations was given without --weights", "add --weights"),
    Case("--likelihood bernoulli", "--likelihood was given without --weights", "add --weights"),
    Case("--iterations -1", "--iterations -1", "at least 0"),
    Case("--iterations ten", "'ten' is not a whole number"),
    Case("--last-iteration -1", "--last-iteration -1", "at least 0"),
    Case("--learning-rate nan", "--learning-rate nan", "positive"),
    Case("--learning-rate -0.1", "--learning-rate -0.1", "positive"),
    Case("--training-damping 0", "--training-damping 0.0", "positive"),
    Case("--widths 64", "--widths 64", "at least two sizes"),
    Case("--widths 784,10 --layers 1", "the first size is 784", "begin the list with 64"),
    Case("--widths 64,7,5,9", "the last size is 9", "digits has 10 classes", "with 10"),
    Case("--widths 64,0,10", "'0' is not a whole number of at least 1"),
    Case(
      "--max-memory 50K", "100 × 100", "80000 bytes", "51200 bytes (--max-memory)", "--no-dense"),
    // 4,440 bytes a network, for two seeds at iterations 0, 3 and 0, 5.
    Case("--max-memory 35519", "35520 bytes", "the limit is 35519 bytes (--max-memory)", "--seeds"),
    Case("--last-iteration 9223372036854775807", "bytes", "--max-memory", "--last-iteration"),
    Case("--widths 64,1000000000,10 --layers 2", "bytes", "--max-memory", "--widths"),
    Case("--widths 64,9223372036854775807,10 --layers 2", "bytes", "--max-memory", "--widths"),
    // The networks fit, a factor of 30,000 × 30,000 numbers does not.
    Case("--widths 64,29999,10 --layers 2", "factor A of layer2", "7200000000 bytes", "--layers"),
    Case("--max-memory lots", "--max-memory lots", "such as 500M or 4G"),
    Case("--max-memory 0", "--max-memory 0", "positive"),
    Case("--data d.npz", "--data", "add --weights"),
    Case("--arrays a.npz", "--arrays", "add --weights"),
    Case("--weights w.npz", "--weights", "add --data"),
    // Dead inputs of the digits and dead units make every block singular.
    Case("--damping 0", "the Fisher at layer2 (size 100)", "pivot 4 is 0.0", "larger damping"),
    // The loss overflows: no number of it may reach a file.
    Case("--learning-rate 1e300", "--learning-rate"),
  ]

  @Test(arguments: cases)
  func isRefused(bad: Case) throws {
    try withTemporaryFolder { folder in
      // A later value of an option replaces the small job's own.
      let given = Set(bad.options.filter { $0.hasPrefix("--") })
      var arguments = SmallJob.arguments + ["--quiet"]
      for option in given {
        if let index = arguments.firstIndex(of: option) {
          arguments.removeSubrange(index...index + 1)
        }
      }
      try expectRefusal(arguments + bad.options, bad.parts, in: folder)
    }
  }

  @Test func aFolderThatCannotBeWrittenIsRefusedBeforeTheWork() throws {
    try withTemporaryFolder { folder in
      try Data().write(to: URL(fileURLWithPath: "\(folder)/file"))
      let arguments = Array(SmallJob.arguments.dropLast(2))
      // A path below a file can be written by nobody, not even by root.
      try expectRefusal(
        arguments + ["--output", "file/results"], ["file", "a folder is expected"], in: folder)
      try expectRefusal(
        arguments + ["--output", "missing/results"], ["missing", "no such folder", "Make it"],
        in: folder)
      try expectRefusal(
        arguments + ["--output", ""], ["--output is empty", "a folder"], in: folder)
      try expectRefusal(arguments + ["--output", "file"], ["file", "Name a folder"], in: folder)
    }
  }

  @Test func aProgramMovedAwayFromItsDataSaysWhereItLooked() throws {
    try withTemporaryFolder { folder in
      let moved = "\(folder)/natgrad"
      try FileManager.default.copyItem(atPath: Program.path, toPath: moved)
      // The tests run where the source tree is, which is the last place to be looked at.
      let empty = "\(folder)/empty"
      try FileManager.default.createDirectory(atPath: empty, withIntermediateDirectories: false)
      try expectRefusal(
        SmallJob.arguments + ["--quiet"], [empty, "datasets", "NATGRAD_FIXTURES"], in: folder,
        environment: ["NATGRAD_FIXTURES": empty], program: moved)
    }
  }
}
