import Curvature
import DataFiles
import DenseAlgebra
import Networks
import TestSupport
import Testing
import Verification

/// A 3-4-3 softmax network on 20 examples: more samples than parameters in each layer.
struct QuantitiesTests {
  static let network = try? Network.multilayerPerceptron(
    widths: [3, 4, 3], activation: .tanh, initialization: .normal(standardDeviation: 0.7), seed: 5)

  static let data: Dataset = {
    var generator = Generator(seed: 6)
    return Dataset(
      name: "drawn", inputs: generator.normal(3, 20),
      targets: .labels((0..<20).map { $0 * 7 % 3 }))
  }()

  static func quantities(_ change: (inout QuantityOptions) -> Void = { _ in }) throws -> Quantities
  {
    var options = QuantityOptions()
    options.split = 2
    change(&options)
    return try Quantities(
      try #require(network), data, likelihood: .categorical, options: options)
  }

  @Test func everyNameFitsOneDocumentedPatternAndItsShape() throws {
    let quantities = try Self.quantities()
    let structures = StructureKind.allCases.map {
      $0 == .kfacSplit ? "kfac-split-2" : $0.rawValue
    }
    let words = [
      "{i}": ["1", "2"], "{structure}": structures, "{rule}": DampingRule.allCases.map(\.rawValue),
      "{operator}": MatrixFreeSolver.Operator.allCases.map(\.rawValue), "{split}": ["2"],
      "{lambda}": ["0.1", "0.001"],
    ]
    var patterns: [String: [ArrayDescription]] = [:]
    for description in Quantities.documentation {
      var names = [description.pattern]
      for (placeholder, values) in words {
        names = names.flatMap { name in
          name.contains(placeholder)
            ? values.map { name.replacing(placeholder, with: $0) } : [name]
        }
      }
      for name in names { patterns[name, default: []].append(description) }
    }
    for (name, array) in quantities.arrays {
      let descriptions = patterns[name, default: []]
      #expect(descriptions.count == 1, "\(name) fits \(descriptions.count) patterns")
      let isFirst = name.hasPrefix("layer1")
      let (dG, dA) = isFirst ? (4, 4) : (3, 5)
      let sizes = ["N": 20, "C": 3, "P": 31, "dG": dG, "dA": dA, "p": dG * dA]
      let extents = descriptions[0].shape.split { "(), ".contains($0) }.map(String.init)
      if extents.last != "1" {  // not the history of an iteration
        #expect(array.shape == extents.map { sizes[$0] }, "\(name)")
      }
    }
    #expect(Set(quantities.arrays.map(\.name)).count == quantities.arrays.count)
    let used = Set(quantities.arrays.compactMap { patterns[$0.name]?.first?.pattern })
    #expect(used == Set(Quantities.documentation.map(\.pattern)))
  }

  /// The README's example and `natgrad compare --split` say so: arrays carry the size in their name.
  @Test func theSplitIsInBlocksOfTenUnlessSaid() throws {
    let quantities = try Self.quantities { $0.split = QuantityOptions().split }
    #expect(quantities.arrays.contains { $0.name == "layer1.kfac-split-10" })
  }

  @Test func kfacIsTheKroneckerProductOfItsFactors() throws {
    let quantities = try Self.quantities()
    for layer in ["layer1", "layer2"] {
      let (a, g) = (try quantities.matrix("\(layer).A"), try quantities.matrix("\(layer).G"))
      let size = g.rowCount
      let product = Matrix(rowCount: a.rowCount * size, columnCount: a.rowCount * size) {
        a[$0 / size, $1 / size] * g[$0 % size, $1 % size]
      }
      #expect(try quantities.matrix("\(layer).kfac") == product)
    }
  }

  @Test(arguments: [
    ("fisher", "fisher.eigenvalues"), ("layer1.block", "layer1.eigenvalues"),
    ("layer2.block", "layer2.eigenvalues"), ("layer1.A", "layer1.A.eigenvalues"),
    ("layer2.G", "layer2.G.eigenvalues"),
  ])
  func eigenvaluesAreThoseOfLAPACK(_ matrix: String, _ values: String) throws {
    let quantities = try Self.quantities()
    let expected = try LAPACK.dsyev(quantities.matrix(matrix)).values
    let actual = try #require(quantities[values]).vector()
    let scale = Double(expected.count) * .ulpOfOne * (expected.elements.last ?? 0)
    for (ours, theirs) in zip(actual.elements, expected.elements) {
      expectAtMost((ours - theirs).magnitude / scale, 30, values)
    }
    #expect(actual.elements == actual.elements.sorted() && actual.count == expected.count)
  }

  @Test func ekfacIsMadeOfItsEigenvectorsAndSecondMoments() throws {
    let quantities = try Self.quantities()
    for layer in ["layer1", "layer2"] {
      let basis = Matrix.kronecker(
        try quantities.matrix("\(layer).A.eigenvectors"),
        try quantities.matrix("\(layer).G.eigenvectors"))
      let moments = Vector(try quantities.matrix("\(layer).second-moments").storage)
      expectRatio(.orthogonality(basis), layer)
      expectRatio(
        .eigen(try quantities.matrix("\(layer).ekfac"), values: moments, vectors: basis), layer)
      // S = diag(Qᵀ F Q)
      let rotated = LAPACK.dgemm(
        basis, LAPACK.dgemm(try quantities.matrix("\(layer).block"), basis), transposeA: true)
      expectRatio(.difference(moments, Vector(rotated.diagonal)), layer)
    }
  }

  /// ∇h lies in the range of the exact Fisher (specification 3.2), so F u = ∇h for u = F⁺ ∇h.
  @Test(arguments: ["exact", "block-diagonal"])
  func theUndampedStepSolvesTheConsistentSystem(_ structure: String) throws {
    let quantities = try Self.quantities()
    var right: [Double] = []
    var step: [Double] = []
    for layer in ["layer1", "layer2"] {
      let gradient = try quantities.matrix("\(layer).gradient").storage
      let solution = try quantities.matrix("\(layer).step.\(structure).none").storage
      right += gradient
      step += solution
      if structure == "block-diagonal" {
        expectRatio(
          .solve(try quantities.matrix("\(layer).block"), Vector(solution), Vector(gradient)),
          layer)
      }
    }
    if structure == "exact" {
      expectRatio(.solve(try quantities.matrix("fisher"), Vector(step), Vector(right)))
    }
  }

  @Test(arguments: [("cg-kfac", "kfac"), ("cg-exact-block", "block")], ["0.1", "0.001"])
  func conjugateGradientsReachTheDenseSolution(
    _ names: (step: String, matrix: String), _ lambda: String
  ) throws {
    let quantities = try Self.quantities {
      $0.iteration = ConjugateGradient(
        stoppingRule: .rightHandSide(tolerance: 1e-13), maximumIterations: 200)
    }
    for layer in ["layer1", "layer2"] {
      let matrix = try quantities.matrix("\(layer).\(names.matrix)")
      let gradient = Vector(try quantities.matrix("\(layer).gradient").storage)
      let expected = try LAPACK.dposv(
        matrix.addingToDiagonal(try #require(Double(lambda))), gradient)
      let step = Vector(
        try quantities.matrix("\(layer).step.\(names.step).exact.\(lambda)").storage)
      #expect((step - expected).norm <= 1e-9 * expected.norm)
    }
  }

  @Test func theHistoryOfConjugateGradientsBelongsToTheStep() throws {
    let quantities = try Self.quantities()
    for layer in ["layer1", "layer2"] {
      for lambda in [0.1, 0.001] {
        let gradient = Vector(try quantities.matrix("\(layer).gradient").storage)
        let residuals = try #require(quantities["\(layer).residuals.cg-kfac.\(lambda)"]).elements
        let count = try #require(quantities["\(layer).iterations.cg-kfac.\(lambda)"])
        #expect(count.shape == [] && count.kind == .integer && count.elements[0] >= 1)
        #expect(residuals.count == Int(count.elements[0]) + 1)
        #expect(abs(residuals[0] - gradient.norm) <= 1e-14 * gradient.norm)
        #expect(residuals[residuals.count - 1] <= 1e-2 * gradient.norm)
        #expect(residuals.dropLast().allSatisfy { $0 > 1e-2 * gradient.norm })
        // The recursive residual is the true one up to rounding.
        let step = Vector(try quantities.matrix("\(layer).step.cg-kfac.exact.\(lambda)").storage)
        let damped = try quantities.matrix("\(layer).kfac").addingToDiagonal(lambda)
        let residual = (gradient - damped * step).norm
        #expect(abs(residual - residuals[residuals.count - 1]) <= 1e-12 * gradient.norm)
      }
    }
  }

  /// The steps that no peer library has, against LAPACK solves of matrices built from their definition.
  @Test func everyDampedStepSolvesItsSystem() throws {
    let quantities = try Self.quantities()
    for layer in ["layer1", "layer2"] {
      let gradient = Vector(try quantities.matrix("\(layer).gradient").storage)
      for structure in ["nearest-kronecker", "tkfac", "kfac-split-2"] {
        for lambda in [0.1, 0.001] {
          let damped = try quantities.matrix("\(layer).\(structure)").addingToDiagonal(lambda)
          let step = Vector(
            try quantities.matrix("\(layer).step.\(structure).exact.\(lambda)").storage)
          let expected = try LAPACK.dposv(damped, gradient)
          #expect((step - expected).norm <= 1e-9 * expected.norm, "\(layer).\(structure)")
        }
      }
    }
  }

  @Test func rowOrderPermutesMatricesAndNothingElse() throws {
    let column = try Self.quantities()
    let row = try Self.quantities { $0.vectorization = .row }
    // Entry (i, j) of layer 1 (4 × 4) sits at 4i + j, of layer 2 (3 × 5) at 16 + 5i + j.
    var position = [Int](repeating: 0, count: 31)
    for i in 0..<4 { for j in 0..<4 { position[4 * j + i] = 4 * i + j } }
    for i in 0..<3 { for j in 0..<5 { position[16 + 3 * j + i] = 16 + 5 * i + j } }
    let whole = ["fisher", "fisher.empirical"]
    let ofLayer = [
      "block", "block.empirical", "kfac", "ekfac", "kfac-split-2", "nearest-kronecker", "tkfac",
    ]
    #expect(row.arrays.map(\.name) == column.arrays.map(\.name))
    for (name, array) in row.arrays {
      let offset: Int
      if whole.contains(name) {
        offset = 0
      } else if ofLayer.contains(String(name.dropFirst("layer1.".count))) {
        offset = name.hasPrefix("layer1") ? 0 : 16
      } else {
        #expect(array == column[name], "\(name)")
        continue
      }
      let (ours, theirs) = (try column.matrix(name), try array.matrix())
      let expected = Matrix(rowCount: ours.rowCount, columnCount: ours.rowCount) { i, j in
        let inverse = { (k: Int) in
          (0..<31).first { position[$0] == k + offset }.map { $0 - offset } ?? -1
        }
        return ours[inverse(i), inverse(j)]
      }
      #expect(theirs == expected, "\(name)")
      #expect(theirs != ours, "\(name)")
    }
  }

  /// The pseudo-inverse's cut-off is P ε σ₁; the ranks of the factors multiply.
  @Test func theReportedRankIsThatOfTheSingularValues() throws {
    let quantities = try Self.quantities()
    func rank(_ names: [String]) throws -> Int {
      try names.reduce(0) { sum, name in
        let σ = try LAPACK.dgesvd(quantities.matrix(name)).values.elements
        return sum + σ.count { $0 > Double(σ.count) * .ulpOfOne * σ[0] }
      }
    }
    let layers = ["layer1", "layer2"]
    #expect(try quantities["rank.exact"]?.elements == [Double(rank(["fisher"]))])
    #expect(
      try quantities["rank.block-diagonal"]?.elements == [
        Double(rank(layers.map { $0 + ".block" }))
      ])
    #expect(try quantities["rank.kfac"]?.elements == [Double(rank(layers.map { $0 + ".kfac" }))])
    // A categorical last layer is blind to the shift of all its logits, so full rank would be wrong.
    #expect(
      try quantities["rank.exact"]?.elements != [Double(quantities.matrix("fisher").rowCount)])
  }

  @Test func savedQuantitiesAreReadBackUnchanged() throws {
    let quantities = try Self.quantities()
    let bytes = NPZ.encode(quantities.arrays)
    let read = try NPZ.decode(bytes, name: "out.npz")
    #expect(read.map(\.name) == quantities.arrays.map(\.name))
    #expect(read.map(\.array) == quantities.arrays.map(\.array))
    #expect(try NPZ.encode(Self.quantities().arrays) == bytes)
  }

  @Test func withoutDenseMatricesTheStepsAreTheSame() throws {
    let dense = try Self.quantities()
    let sparse = try Self.quantities {
      $0.includesDense = false
      $0.limit = MemoryLimit(bytes: 8 * 60 * 60)
      // Rule `none` of the Gram form has another rounding level at its cut-off.
      $0.structures = [.exact, .blockDiagonal, .diagonal, .kfac, .ekfac, .tkfac]
    }
    #expect(
      sparse["fisher"] == nil && sparse["layer1.block"] == nil && sparse["layer1.kfac"] == nil)
    #expect(sparse["layer1.second-moments"] != nil)
    var compared = 0
    for (name, array) in sparse.arrays where !name.hasSuffix(".none") {
      let expected = try #require(dense[name])
      #expect(relativeDifference(array, expected) <= 1e-9, "\(name)")
      compared += 1
    }
    #expect(compared > 40)
  }

  @Test func selectedLayersKeepTheirNumbers() throws {
    let all = try Self.quantities()
    let second = try Self.quantities { $0.blocks = [1] }
    #expect(second.arrays.allSatisfy { !$0.name.hasPrefix("layer1") })
    #expect(second["layer2.gradient"] == all["layer2.gradient"])
    #expect(second["fisher"] == all["layer2.block"])
    #expect(second["loss"] == all["loss"])
  }

  @Test func theChosenFisherIsTheOneInTheNamesWithoutSuffix() throws {
    let exact = try Self.quantities()
    let empirical = try Self.quantities { $0.fisher = .empirical }
    for name in ["fisher", "layer1.block", "layer2.G"] {
      #expect(empirical[name] == exact["\(name).empirical"])
      #expect(empirical[name] != exact[name])
      #expect(empirical["\(name).empirical"] == empirical[name])
    }
  }

  @Test func dampingStrengthsAreNamedInTheirShortestDecimals() throws {
    let quantities = try Self.quantities {
      $0.structures = [.kfac]
      $0.operators = []
      $0.lambdas = [1, 0.0001, 1e-7, 0.0001]
    }
    // As Python's str writes them.
    for lambda in ["1.0", "0.0001", "1e-07"] {
      #expect(quantities["layer1.step.kfac.pi.\(lambda)"] != nil)
    }
    let steps = quantities.arrays.filter { $0.name.contains(".step.") }
    #expect(steps.count == 2 * (4 * 3 + 1))
  }
}

extension Quantities {
  /// A quantity that must be there, as a matrix.
  func matrix(_ name: String) throws -> Matrix {
    try #require(self[name], "no \(name)").matrix(name)
  }
}
