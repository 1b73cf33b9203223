extension TrajectoryMistake {
  /// Every mistake of a trajectory, by number and form.
  public static let all: [TrajectoryMistake] = [
    TrajectoryMistake(
      36, "The inverse is that of an earlier step's factors",
      wrong: "U' = (G₍k−τ₎ + δ_G I)⁻¹ V₍k₎ (A₍k−τ₎ + δ_A I)⁻¹",
      right: "the inverse of the factors that are accepted at step k",
      mark:
        "the residual of G_δ U' A_δ = V with the dumped factors of step k − τ vanishes for one τ > 0",
      caughtBy: [.property(59), .property(116)], needs: [.inverses]
    ) { recipe in
      recipe.factors = { setting, accepted in setting.late(accepted) }
    },
    TrajectoryMistake(
      37, "The gradient is that of an earlier step",
      wrong: "V'₍k₎ = V₍k−τ₎", right: "the gradient of the present batch at the present weights",
      mark: "V' is V of one earlier step τ > 0, while A' and G' are those of step k",
      caughtBy: [.property(59), .property(116), .property(134)]
    ) { recipe in
      recipe.gradient = { setting, gradients in setting.late(gradients) }
    },
    TrajectoryMistake(
      40, "The weights of the average over batches are exchanged",
      wrong: "m ← (1 − ρ)m + ρ A_batch", right: "m ← ρm + (1 − ρ)A_batch",
      mark: "A'₍k₎ = (1 − y)A'₍k−1₎ + y A_batch with y that tends to ρ, not to 1 − ρ",
      caughtBy: [.property(77)], needs: [.averaging]
    ) { recipe in
      recipe.weightKept = { setting in 1 - setting.decay }
    },
    TrajectoryMistake(
      41, form: "a", "The correction of the average has a power too much",
      wrong: "A' = m/(1 − ρᵏ⁺¹)", right: "A = m/(1 − ρᵏ)",
      mark: "A' = cA and G' = cG with c = (1 − ρᵏ)/(1 − ρᵏ⁺¹) < 1, which tends to 1",
      caughtBy: [.property(77)], needs: [.averaging]
    ) { recipe in
      recipe.correctionPower = { batches in batches + 1 }
    },
    TrajectoryMistake(
      41, form: "b", "The step number in the correction of the average is not advanced",
      wrong: "A' = m/(1 − ρ)", right: "A = m/(1 − ρᵏ)",
      mark: "A' = cA and G' = cG with c = (1 − ρᵏ)/(1 − ρ), which grows from 1 to 1/(1 − ρ)",
      caughtBy: [.property(77)], needs: [.averaging]
    ) { recipe in
      recipe.correctionPower = { _ in 1 }
    },
    TrajectoryMistake(
      52, "EKFAC's second moments run on through a change of the eigenbasis",
      wrong: "S' = ρS + (1 − ρ)S_batch, S in the old basis and S_batch in the new one",
      right: "S = S_batch in the new basis",
      mark: "in a new basis (S' − (1 − ρ)S_batch)/ρ is S of the old basis",
      caughtBy: [.property(81)], needs: [.eigenbasis], home: .eigenbasis
    ) { recipe in
      recipe.secondMoments = { setting, old, batch, _ in setting.running(old, batch) }
    },
    TrajectoryMistake(
      58, form: "a", "Weight decay is preconditioned where it should not be",
      wrong: "U' = P⁻¹(V + ηW)", right: "U = P⁻¹V + ηW",
      mark: "U' − P⁻¹V = P⁻¹(ηW), not ηW",
      caughtBy: [.property(59)], needs: [.decayAfter], home: .decoupled
    ) { recipe in
      recipe.step = { setting, v, weights, solve in
        setting.clipped(setting.decayedFirst(v, weights, solve))
      }
    },
    TrajectoryMistake(
      58, form: "b", "Weight decay is not preconditioned where it should be",
      wrong: "U' = P⁻¹V + ηW", right: "U = P⁻¹(V + ηW)",
      mark: "U' − P⁻¹V = ηW, not P⁻¹(ηW)",
      caughtBy: [.property(59)], needs: [.decayBefore], home: .coupled
    ) { recipe in
      recipe.step = { setting, v, weights, solve in
        setting.clipped(setting.decayedLast(v, weights, solve))
      }
    },
    TrajectoryMistake(
      59, "The gradient is clipped before preconditioning, not the step after it",
      wrong: "U' = P⁻¹(V min(1, c/‖V‖))", right: "U min(1, c/‖U‖) with U = P⁻¹V",
      mark: "U' is P⁻¹V times min(1, c/‖V‖)",
      caughtBy: [.property(59)], needs: [.clipping], home: .clipped
    ) { recipe in
      recipe.step = { setting, v, weights, solve in
        let v = setting.clipped(v)
        return setting.preconditionsDecay
          ? setting.decayedFirst(v, weights, solve) : setting.decayedLast(v, weights, solve)
      }
    },
    TrajectoryMistake(
      62, "The trace rule compares with the statistics computed last, not with those accepted last",
      wrong: "Δ' from tr F of the last test", right: "Δ from tr F of the last update",
      mark: "under a slow drift no layer updates, and Δ' is the change since the last test",
      caughtBy: [.property(128), .property(129)], needs: [.traceRule], home: .drift
    ) { recipe in
      recipe.reference = { _, tested in tested }
    },
    TrajectoryMistake(
      63, "The trace is tested without fresh statistics: T_FIM does not divide T_INV",
      wrong: "Δ' from the factors of the test before", right: "Δ from factors of this step's batch",
      mark: "Δ' = 0 exactly, and the layer stops",
      caughtBy: [.property(128)], needs: [.traceRule], home: .drift
    ) { recipe in
      recipe.refreshesFactors = { setting, step in step % (2 * setting.inverseInterval) == 0 }
    },
  ]
}
