import DenseAlgebra
import Networks
import Testing

@Suite("Data sets")
struct DatasetTests {
  private func network() throws -> Network {
    try .multilayerPerceptron(
      widths: [2, 3], activation: .tanh, initialization: .he, seed: 1)
  }

  private func error(
    _ inputs: Matrix, _ targets: Targets, _ likelihood: Likelihood
  ) throws -> DatasetError? {
    do {
      try Dataset(name: "d", inputs: inputs, targets: targets)
        .check(network: network(), likelihood: likelihood)
      return nil
    } catch let error as DatasetError { return error }
  }

  private let good = Matrix(rows: [[1, 2], [3, 4]])
  private let three = Matrix(rowCount: 3, columnCount: 2, repeating: 0.5)

  @Test func whatFitsIsAccepted() throws {
    #expect(try error(good, .labels([0, 2]), .categorical) == nil)
    #expect(try error(good, .values(three), .bernoulli) == nil)
    #expect(try error(good, .values(-7 * three), .gaussian(variance: 2)) == nil)
  }

  @Test func whatDoesNotFitIsToldWithItsPlace() throws {
    let wide = Matrix(rowCount: 3, columnCount: 3)
    #expect(
      try error(Matrix(rowCount: 2, columnCount: 0), .labels([]), .categorical) == .noExamples)
    #expect(
      try error(wide, .labels([0, 1, 2]), .categorical) == .inputCount(got: 3, expected: 2))
    #expect(
      try error(Matrix(rows: [[1, 1], [1, .infinity]]), .labels([0, 0]), .categorical)
        == .inputNotFinite(example: 1, entry: 1, value: .infinity))
    let last = Matrix(rows: [[1, 1, 1], [1, 1, .infinity]])
    #expect(
      try error(last, .labels([0, 0, 0]), .categorical)
        == .inputNotFinite(example: 2, entry: 1, value: .infinity))
    #expect(
      try error(good, .labels([0, 1, 2]), .categorical) == .targetCount(got: 3, expected: 2))
    #expect(
      try error(good, .labels([2, 3]), .categorical)
        == .label(example: 1, value: 3, classCount: 3))
    #expect(
      try error(good, .labels([-1, 9]), .categorical)
        == .label(example: 0, value: -1, classCount: 3))
    #expect(
      try error(good, .values(three), .categorical) == .targetKind(likelihood: .categorical))
    for likelihood in [Likelihood.bernoulli, .gaussian(variance: 1)] {
      #expect(
        try error(good, .labels([0, 1]), likelihood) == .targetKind(likelihood: likelihood))
      #expect(
        try error(good, .values(wide), likelihood) == .targetCount(got: 3, expected: 2))
      #expect(
        try error(good, .values(good), likelihood) == .targetComponents(got: 2, expected: 3))
      var bad = three
      bad[2, 1] = .infinity
      #expect(
        try error(good, .values(bad), likelihood)
          == .target(example: 1, component: 2, value: .infinity, likelihood: likelihood))
    }
    var bad = three
    bad[1, 0] = -0.25
    #expect(
      try error(good, .values(bad), .bernoulli)
        == .target(example: 0, component: 1, value: -0.25, likelihood: .bernoulli))
    for variance in [0, -1, Double.infinity] {
      #expect(
        try error(good, .values(three), .gaussian(variance: variance)) == .variance(variance))
    }
  }

  /// NaN equals nothing, so these payloads are looked at one by one.
  @Test func notANumberIsFound() throws {
    guard
      case .inputNotFinite(example: 0, entry: 1, let input)? =
        try error(Matrix(rows: [[1, .nan], [.nan, 1]]), .labels([0, 0]), .categorical),
      case .target(example: 1, component: 0, let target, .bernoulli)? =
        try error(
          good, .values(Matrix(rows: [[0, .nan], [0, 0], [0, 0]])), .bernoulli),
      case .variance(let variance)? =
        try error(good, .values(three), .gaussian(variance: .nan))
    else {
      Issue.record("not found, or elsewhere")
      return
    }
    #expect(input.isNaN && target.isNaN && variance.isNaN)
  }

  /// What was seen, what was expected.
  @Test func everyErrorIsASentence() {
    let sentences: [(DatasetError, String)] = [
      (.noExamples, "The data set has no examples. Give at least one."),
      (
        .label(example: 7, value: 10, classCount: 10),
        "The label of example 7 (counting from 0) is 10, but the network has 10 outputs. "
          + "Labels must be whole numbers from 0 to 9."
      ),
      (
        .inputNotFinite(example: 3, entry: 14, value: .nan),
        "Input 14 of example 3 is nan (counting from 0). Every input must be finite."
      ),
      (
        .inputCount(got: 3, expected: 2),
        "Each example has 3 inputs, but the network reads 2. "
          + "Give one column of 2 numbers per example."
      ),
      (
        .targetCount(got: 3, expected: 2),
        "There are 3 targets for 2 examples. Give one target per example."
      ),
      (
        .targetComponents(got: 2, expected: 3),
        "Each target has 2 components, but the network has 3 outputs. Give 3 numbers per example."
      ),
      (
        .targetKind(likelihood: .categorical),
        "The targets are vectors, but a categorical likelihood needs class labels. "
          + "Give one whole number per example."
      ),
      (
        .targetKind(likelihood: .gaussian(variance: 1)),
        "The targets are class labels, but a Gaussian likelihood needs one vector per example. "
          + "Give a matrix of targets."
      ),
      (
        .target(example: 1, component: 2, value: 1.5, likelihood: .bernoulli),
        "Component 2 of the target of example 1 is 1.5 (counting from 0). "
          + "Targets of a Bernoulli likelihood must lie between 0 and 1."
      ),
      (
        .target(example: 1, component: 2, value: .infinity, likelihood: .gaussian(variance: 1)),
        "Component 2 of the target of example 1 is inf (counting from 0). "
          + "Every target must be finite."
      ),
      (
        .variance(0), "The variance of the Gaussian likelihood is 0.0. Give a positive number."
      ),
    ]
    for (error, sentence) in sentences { #expect(error.description == sentence) }
  }

  @Test func subsetsKeepInputsAndTargetsTogether() {
    let labelled = Dataset(
      name: "d", inputs: Matrix(rows: [[1, 2, 3], [4, 5, 6]]), targets: .labels([7, 8, 9]))
    let subset = labelled.subset([2, 0, 2])
    #expect(subset.inputs == Matrix(rows: [[3, 1, 3], [6, 4, 6]]))
    #expect(subset.targets == .labels([9, 7, 9]))
    #expect(subset.count == 3 && subset.targets.count == 3 && subset.name == "d")
    let valued = Dataset(name: "d", inputs: labelled.inputs, targets: .values(labelled.inputs))
    #expect(valued.subset([1]).targets == .values(Matrix(rows: [[2], [5]])))
    #expect(valued.subset([]).count == 0)
  }

  /// Inputs have mean ½ and variance 1; targets fit the likelihood; one seed, one data set.
  @Test func teacherSetsFollowTheirSeed() throws {
    func teacher(_ likelihood: Likelihood, _ seed: UInt64) throws -> Dataset {
      try .teacher(
        widths: [5, 4, 3], activation: .tanh, likelihood: likelihood, count: 4000, seed: seed)
    }
    for likelihood in [Likelihood.categorical, .bernoulli, .gaussian(variance: 0.01)] {
      let data = try teacher(likelihood, 3)
      let student = try Network.multilayerPerceptron(
        widths: [5, 3], activation: .tanh, initialization: .he, seed: 1)
      try data.check(network: student, likelihood: likelihood)
      #expect(try data == teacher(likelihood, 3))
      #expect(try data.inputs != teacher(likelihood, 4).inputs)
    }
    let data = try teacher(.categorical, 3)
    let values = data.inputs.storage
    let mean = values.reduce(0, +) / 20_000
    let variance = values.reduce(0) { $0 + ($1 - 0.5) * ($1 - 0.5) } / 20_000
    #expect((mean - 0.5).magnitude <= 5.5 / Double(20_000).squareRoot())
    #expect((variance - 1).magnitude <= 5.5 * (2.0 / 20_000).squareRoot())
    guard case .labels(let labels) = data.targets else {
      Issue.record("no labels")
      return
    }
    #expect(Set(labels) == [0, 1, 2])
  }

  @Test func widthsWithoutAnOutputMakeNoTeacher() {
    #expect(throws: NetworkError.self) {
      try Dataset.teacher(
        widths: [5], activation: .tanh, likelihood: .categorical, count: 3, seed: 1)
    }
  }
}
