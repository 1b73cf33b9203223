import Curvature
import DenseAlgebra
import Networks
import TestSupport
import Testing
import Verification

/// The signatures of mistakes about what the layers record (the specification, section 11).
@Suite("Signatures of mistakes: recorded inputs and gradients")
struct MistakeRecordsTests {
  /// What the layers of a setting record for the exact Fisher, by the right and the wrong recipe.
  private func records(_ signature: MistakeSignature) -> (
    right: [LayerSamples], wrong: [LayerSamples]
  ) {
    let setting = signature.setting
    let samples = GradientSamples(
      setting.network, setting.data, likelihood: setting.likelihood, kind: .exact)
    let right = samples.blocks.indices.map { LayerSamples(samples, block: $0) }
    let tape = setting.network.forward(setting.data.inputs)
    return (right, signature.mistake.recipe.records(setting, tape, right))
  }

  /// (1/N) X Xᵀ.
  private func secondMoment(_ x: Matrix) -> Matrix {
    (1 / Double(x.columnCount)) * LAPACK.dsyrk(x)
  }

  @Test("M-15: the last row and column of A' are 0, and A − A' = μμᵀ has rank one")
  func centred() throws {
    let signature = try MistakeSignature("M-15")
    let tape = signature.setting.network.forward(signature.setting.data.inputs)
    for (layer, use) in zip(signature.layers, tape.uses) {
      let (wrong, right) = try signature.pair("\(layer).A")
      let last = wrong.rowCount - 1
      #expect(wrong.row(last).norm == 0 && wrong.column(last).norm == 0)
      let mean = use.inputs.rowMeans
      let μ = Matrix(rowCount: mean.count, columnCount: 1, storage: mean.elements)
      expectRatio(.difference(wrong + LAPACK.dgemm(μ, μ, transposeB: true), right), layer)
      let values = try LAPACK.dsyev(right - wrong).values.elements
      let budget = 30 * Double(last + 1) * .ulpOfOne * right.frobeniusNorm
      #expect(values[last] > 0.1 * mean.dot(mean))
      #expect(values[..<last].allSatisfy { $0.magnitude <= budget })
    }
    signature.expectUnchanged(.g, .gradient)
  }

  @Test("M-23: φ'(s) ∘ g' gives the right G, and the last layer is right")
  func afterTheNonlinearity() throws {
    let signature = try MistakeSignature("M-23")
    let tape = signature.setting.network.forward(signature.setting.data.inputs)
    let wrong = records(signature).wrong
    for (index, layer) in signature.layers.enumerated().dropLast() {
      // Value 2i + 1 holds the pre-activations of layer i, counted from 0.
      let slopes = tape.values[2 * index + 1].map(Activation.tanh.derivative)
      var g = Matrix(rowCount: slopes.rowCount, columnCount: slopes.rowCount)
      for gradient in wrong[index].gradients {
        g.add(1 / 17.0, times: LAPACK.dsyrk(gradient.hadamard(slopes)))
      }
      expectRatio(.difference(g, try signature.pair("\(layer).G").right), layer)
    }
    let last = try signature.pair("layer3.G")
    #expect(last.wrong == last.right)
    signature.expectUnchanged(.a, .gradient)
  }

  @Test("M-23 cannot be seen in a linear network")
  func linearNetwork() throws {
    var linear = CurvatureSetting.dense
    linear.network = try Network.multilayerPerceptron(
      weights: linear.network.parameters.map(\.weights), activations: [.identity, .identity])
    try MistakeSignature("M-23", on: linear).expectScale("G") { _ in 1 }
  }

  @Test("M-24: A' of a layer is the right A of the next one, the last that of the outputs")
  func oneLayerOff() throws {
    let signature = try MistakeSignature("M-24")
    #expect(try signature.pair("layer1.A").wrong == signature.pair("layer2.A").right)
    let outputs = signature.setting.network.forward(signature.setting.data.inputs).output
    expectRatio(
      .difference(try signature.pair("layer2.A").wrong, secondMoment(outputs)), "layer2.A")
    signature.expectUnchanged(.g, .gradient)
  }

  @Test("M-25a: A' is the second moment of φ(a), with the homogeneous coordinate as it was")
  func inPlace() throws {
    let signature = try MistakeSignature("M-25a")
    let tape = signature.setting.network.forward(signature.setting.data.inputs)
    for (layer, use) in zip(signature.layers, tape.uses) {
      let last = use.inputs.rowCount - 1
      let overwritten = Matrix(rowCount: last + 1, columnCount: 17) {
        $0 == last ? 1 : Activation.tanh.value(use.inputs[$0, $1])
      }
      expectRatio(
        .difference(try signature.pair("\(layer).A").wrong, secondMoment(overwritten)), layer)
    }
    signature.expectUnchanged(.g, .gradient)
  }

  @Test(
    "M-25b: A' is the second moment of inputs that are 0 or doubled; V is of the inputs as they are"
  )
  func dropout() throws {
    let signature = try MistakeSignature("M-25b")
    let (right, wrong) = records(signature)
    for (index, layer) in signature.layers.enumerated() {
      let (x, masked) = (right[index].inputs, wrong[index].inputs)
      var kept = 0
      for n in 0..<17 {
        #expect(masked[x.rowCount - 1, n] == 1)
        for i in 0..<x.rowCount - 1 {
          #expect(masked[i, n] == 0 || masked[i, n] == 2 * x[i, n])
          if masked[i, n] != 0 { kept += 1 }
        }
      }
      #expect(kept > 0 && kept < 17 * (x.rowCount - 1))
      expectRatio(
        .difference(try signature.pair("\(layer).A").wrong, secondMoment(masked)), layer)
    }
    signature.expectUnchanged(.g, .gradient)
  }

  @Test("M-26: V' = −V, U' = −U and ⟨V', V⟩ < 0; A and G right")
  func sign() throws {
    let signature = try MistakeSignature("M-26")
    for layer in signature.layers {
      let v = try signature.pair("\(layer).gradient")
      #expect(v.wrong == -v.right && v.wrong.dot(v.right) < 0)
      let u = try signature.step(layer)
      #expect(u.wrong == -u.right)
    }
    signature.expectUnchanged(.a, .g, .inverse)
  }
}
