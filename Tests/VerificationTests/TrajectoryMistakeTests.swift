import Curvature
import DenseAlgebra
import Networks
import TestSupport
import Testing
import Verification

/// The signatures of mistakes that need an optimizer's memory (the specification, section 11).
@Suite("Signatures of mistakes: trajectories")
struct TrajectoryMistakeTests {
  @Test("M-36: the residual of G_δ U' A_δ = V vanishes at lag τ = 2 only; of right code at lag 0")
  func staleInverse() throws {
    let signature = try TrajectorySignature("M-36")
    for (reading, lag) in [(signature.wrong, 2), (signature.right, 0)] {
      for (step, layer) in signature.places where step >= 5 {
        let v = try reading.value(step, layer, "gradient")
        for τ in 0...5 {
          let p = reading.damped(try reading.ownFactors(step - τ, layer))
          let residual = try reading.residual(p, step, layer, v)
          if τ == lag {
            #expect(residual <= 30, "step \(step) layer \(layer): \(residual)")
          } else {
            expectFar(residual, "step \(step) layer \(layer) lag \(τ)")
          }
        }
      }
    }
  }

  @Test(
    "M-37: V' is the gradient of lag τ = 2 only; that of right code of lag 0; A' and G' are right")
  func staleGradient() throws {
    let signature = try TrajectorySignature("M-37")
    for (reading, lag) in [(signature.wrong, 2), (signature.right, 0)] {
      for (step, layer) in signature.places where step >= 5 {
        let dumped = try reading.value(step, layer, "gradient")
        for τ in 0...5 {
          let ratio = Ratio.difference(dumped, try reading.gradient(step - τ, layer))
          if τ == lag { expectRatio(ratio) } else { expectFar(ratio.value, "lag \(τ)") }
        }
        let (own, expected) = (
          try reading.ownFactors(step, layer), try reading.averagedFactors(step, layer)
        )
        expectRatio(.difference(own.a, expected.a))
        expectRatio(.difference(own.g, expected.g))
      }
    }
  }

  @Test("M-40: A'₍k₎ = (1 − y) A'₍k−1₎ + y A_batch with y = ρ/(1 − (1 − ρ)ᵏ); right: the other ρ")
  func exchangedWeights() throws {
    let signature = try TrajectorySignature("M-40")
    let ρ = signature.mistake.home.decay
    for (reading, decay) in [(signature.wrong, 1 - ρ), (signature.right, ρ)] {
      for (step, layer) in signature.places where step >= 1 {
        let batch = try reading.batchFactors(step, layer)
        for (quantity, fresh) in [("A", batch.a), ("G", batch.g)] {
          let old = try reading.value(step - 1, layer, quantity)
          let new = try reading.value(step, layer, quantity)
          func mixed(_ decay: Double) -> Matrix {
            let y = (1 - decay) / (1 - power(decay, step + 1))
            return (1 - y) * old + y * fresh
          }
          expectRatio(.difference(new, mixed(decay)), "\(quantity) of step \(step)")
          expectFar(Ratio.difference(new, mixed(1 - decay)).value)
        }
      }
    }
  }

  @Test("M-40: A' is nearer to the last batch than to the average, A is not")
  func exchangedWeightsFollowTheNewestBatch() throws {
    let signature = try TrajectorySignature("M-40")
    for (reading, isWrong) in [(signature.wrong, true), (signature.right, false)] {
      for (step, layer) in signature.places where step >= 6 {
        let a = try reading.value(step, layer, "A")
        let toBatch = (a - (try reading.batchFactors(step, layer).a)).frobeniusNorm
        let toAverage = (a - (try reading.averagedFactors(step, layer).a)).frobeniusNorm
        #expect((toBatch < toAverage) == isWrong, "step \(step) layer \(layer)")
      }
    }
  }

  @Test(
    "M-41: A' = cA and G' = cG, c = (1 − ρᵏ)/(1 − ρᵏ⁺¹) or (1 − ρᵏ)/(1 − ρ); right: c = 1",
    arguments: ["M-41a", "M-41b"])
  func wrongCorrection(id: String) throws {
    let signature = try TrajectorySignature(id)
    let ρ = signature.mistake.home.decay
    for (step, layer) in signature.places {
      let k = step + 1
      let c = (1 - power(ρ, k)) / (1 - power(ρ, id == "M-41a" ? k + 1 : 1))
      for (reading, scale) in [(signature.wrong, c), (signature.right, 1)] {
        let (own, average) = (
          try reading.ownFactors(step, layer), try reading.averagedFactors(step, layer)
        )
        expectRatio(.difference(own.a, scale * average.a), "step \(step)")
        expectRatio(.difference(own.g, scale * average.g), "step \(step)")
      }
      #expect(id == "M-41a" ? c < 1 : k == 1 || c > 1)
    }
  }

  @Test("M-52: in a new basis (S' − (1 − ρ)S_batch)/ρ is S of the old basis; right: S is S_batch")
  func secondMomentsOfTheOldBasis() throws {
    let signature = try TrajectorySignature("M-52")
    let (home, ρ) = (signature.mistake.home, signature.mistake.home.momentDecay)
    for (step, layer) in signature.places where step > 0 && step % home.inverseInterval == 0 {
      let wrong = signature.wrong
      let s = try wrong.value(step, layer, "second-moments")
      let batch = try TrajectoryChecks.diagonal(wrong, step, layer)
      let rest = 1 / ρ * (s - (1 - ρ) * batch)
      expectRatio(.difference(rest, try wrong.value(step - 1, layer, "second-moments")))
      expectFar(Ratio.difference(s, batch).value)
      // The basis did change, so S of the old one says nothing of the new.
      expectDifferent(
        try wrong.value(step, layer, "A.basis"), try wrong.value(step - 1, layer, "A.basis"))
      expectRatio(
        .difference(
          try signature.right.value(step, layer, "second-moments"),
          try TrajectoryChecks.diagonal(signature.right, step, layer)))
    }
    for layer in home.network.parameters.indices {
      // The running average over the steps of the first basis.
      let reading = signature.wrong
      let first = try TrajectoryChecks.diagonal(reading, 0, layer)
      let average = try (1..<home.inverseInterval).reduce(first) { old, step in
        ρ * old + (1 - ρ) * (try TrajectoryChecks.diagonal(reading, step, layer))
      }
      let last = try reading.value(home.inverseInterval - 1, layer, "second-moments")
      expectRatio(.difference(last, average))
    }
  }

  @Test(
    "M-58: U' − P⁻¹V is P⁻¹(ηW) or ηW, the one that is not wanted", arguments: ["M-58a", "M-58b"])
  func misplacedDecay(id: String) throws {
    let signature = try TrajectorySignature(id)
    let wantsFirst = signature.mistake.home.preconditionsDecay
    for (reading, isFirst) in [(signature.wrong, !wantsFirst), (signature.right, wantsFirst)] {
      for (step, layer) in signature.places {
        let decay =
          reading.setting.weightDecay * (try reading.value(step, layer, "weights"))
        let (u, condition) = try reading.solved(step, layer, try reading.gradient(step, layer))
        let first = u + (try reading.solved(step, layer, decay).u)
        let (expected, other) = isFirst ? (first, u + decay) : (u + decay, first)
        let dumped = try reading.value(step, layer, "step")
        expectRatio(Ratio.difference(dumped, expected).over(condition: condition))
        expectFar(Ratio.difference(dumped, other).over(condition: condition).value)
      }
    }
  }

  @Test("M-59: U' = P⁻¹V min(1, c/‖V‖), with a scale of its own; right: min(1, c/‖P⁻¹V‖)")
  func clippedBefore() throws {
    let signature = try TrajectorySignature("M-59")
    let c = signature.mistake.home.clippingNorm
    var clipped = 0
    for (reading, isWrong) in [(signature.wrong, true), (signature.right, false)] {
      for (step, layer) in signature.places {
        let v = try reading.gradient(step, layer)
        let (u, condition) = try reading.solved(step, layer, v)
        let before = min(1, c / v.frobeniusNorm) * u
        let after = min(1, c / u.frobeniusNorm) * u
        let dumped = try reading.value(step, layer, "step")
        expectRatio(
          Ratio.difference(dumped, isWrong ? before : after).over(condition: condition))
        if u.frobeniusNorm > c {
          clipped += 1
          let other = Ratio.difference(dumped, isWrong ? after : before)
          expectFar(other.over(condition: condition).value)
        }
      }
    }
    #expect(clipped > 20)
    // min(1, c/‖V‖) < 1 somewhere: the scalar itself is seen, not only that nothing is clipped.
    #expect(
      try signature.places.contains {
        try signature.wrong.gradient($0.step, $0.layer).frobeniusNorm > 1.1 * c
      })
  }

  @Test("M-62: under slow drift no layer updates, as Δ' is from the last test; right code updates")
  func comparedWithTheLastComputed() throws {
    let signature = try TrajectorySignature("M-62")
    for layer in signature.mistake.home.network.parameters.indices {
      let (wrong, right) = (signature.wrong, signature.right)
      let changes = try #require(wrong.dump["changes"])
      let decisions = try #require(wrong.dump["decisions"])
      for step in 1..<signature.mistake.home.stepCount {
        #expect(decisions[step, layer] == 2)
        let change = wrong.change(
          layer, from: try wrong.trace(step - 1, layer), to: try wrong.trace(step, layer))
        // Traces are known to 30 nε, and Δ is their difference over something larger.
        #expect((changes[step, layer] - change).magnitude <= 30 * 17 * .ulpOfOne)
      }
      #expect(try wrong.replayed(layer).dropFirst().contains { $0.decision == 1 })
      let allowed = try #require(right.dump["decisions"])
      #expect((1..<16).contains { allowed[$0, layer] == 1 }, "layer \(layer) needs a drift over ω₁")
    }
  }

  @Test("M-63: Δ' = 0 exactly at the first test without fresh statistics, and every layer stops")
  func testedWithoutFreshStatistics() throws {
    let signature = try TrajectorySignature("M-63")
    let home = signature.mistake.home
    let (changes, decisions) = (
      try #require(signature.wrong.dump["changes"]), try #require(signature.wrong.dump["decisions"])
    )
    let (allowed, course) = (
      try #require(signature.right.dump["decisions"]), try #require(signature.right.dump["changes"])
    )
    for layer in home.network.parameters.indices {
      #expect(changes[1, layer] == 0 && decisions[1, layer] == 3)
      #expect((2..<home.stepCount).allSatisfy { decisions[$0, layer] == 0 })
      // Fresh statistics would not have stopped it, and right code is never at 0.
      #expect(try signature.wrong.replayed(layer)[1].decision != 3)
      #expect((1..<home.stepCount).allSatisfy { allowed[$0, layer] != 3 && course[$0, layer] > 0 })
    }
  }
}
