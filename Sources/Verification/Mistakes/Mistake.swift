import DenseAlgebra
import Networks

/// A mistake that shows in one batch: a recipe for curvature with one wrong stage.
public struct Mistake: CataloguedMistake {
  public let number: Int
  public let form: String
  public let name: String
  public let wrong: String
  public let right: String
  public let mark: String
  /// The first quantities of a layer that it changes; what is computed from them changes too.
  public let changes: [Quantity]
  public let caughtBy: [Catch]
  /// What a setting must have for the mistake to make a difference.
  public let needs: [Need]
  public let home: CurvatureSetting
  /// The one deviation.
  public let change: @Sendable (inout CurvatureRecipe) -> Void

  public init(
    _ number: Int, form: String = "", _ name: String, wrong: String, right: String, mark: String,
    changes: [Quantity], caughtBy: [Catch], needs: [Need] = [], home: CurvatureSetting = .dense,
    change: @escaping @Sendable (inout CurvatureRecipe) -> Void
  ) {
    self.number = number
    self.form = form
    self.name = name
    self.wrong = wrong
    self.right = right
    self.mark = mark
    self.changes = changes
    self.caughtBy = caughtBy
    self.needs = needs
    self.home = home
    self.change = change
  }

  /// The recipe with this mistake in it.
  public var recipe: CurvatureRecipe {
    var recipe = CurvatureRecipe()
    change(&recipe)
    return recipe
  }

  public func dump(_ setting: CurvatureSetting) -> CurvatureDump { recipe.dump(setting) }

  public static func rightDump(_ setting: CurvatureSetting) -> CurvatureDump {
    CurvatureRecipe().dump(setting)
  }

  /// A quantity of a layer, as it is called in the dump.
  public enum Quantity: String, CaseIterable, Sendable {
    case a = "A"
    case g = "G"
    case gradient
    case inverse
    case step = "step.kfac"
    case secondMoments = "second-moments"
    case ekfacStep = "step.ekfac"
    case diagonal
    /// A or G cut to diagonal blocks.
    case split
    case splitInverse = "split.inverse"
    /// The step with the split factors.
    case splitStep = "step.kfac-split"
    /// The product of CG-FAC's operator with the gradient.
    case product = "product.cg-kfac"
    /// The number of steps that conjugate gradients took.
    case iterations = "iterations.cg-kfac"

    /// Whether a name of a dump, such as `layer2.A.inverse.pi.0.1`, is this quantity of a layer.
    public func names(_ name: String) -> Bool {
      guard name.hasPrefix("layer"), let dot = name.firstIndex(of: ".") else { return false }
      let rest = name[name.index(after: dot)...]
      return switch self {
      case .a, .g, .gradient, .secondMoments, .diagonal: rest == rawValue
      case .split: rest.dropFirst(2).hasPrefix("split-") && !rest.contains(".inverse.")
      case .splitInverse: rest.dropFirst(2).hasPrefix("split-") && rest.contains(".inverse.")
      case .splitStep: rest.hasPrefix("step.kfac-split-")
      case .product, .iterations: rest.hasPrefix(rawValue)
      case .inverse: rest.hasPrefix("A.inverse.") || rest.hasPrefix("G.inverse.")
      case .step, .ekfacStep: rest.hasPrefix(rawValue + ".")
      }
    }
  }

  /// What catches a mistake.
  public enum Catch: Equatable, Sendable, CustomStringConvertible {
    /// A property of the specification, section 10, by its number.
    case property(Int)
    /// The certified value of a quantity in a test vector of `Fixtures/vectors`.
    case vector(Quantity)

    public var description: String {
      switch self {
      case .property(let number): "P-" + (number < 10 ? "0" : "") + "\(number)"
      case .vector(let quantity): "vector \(quantity.rawValue)"
      }
    }
  }
}

extension Mistake {
  /// Every mistake of one batch, by number and form.
  public static let all: [Mistake] =
    (scale + fisher + order + records + solve + damping + averages
    + inverses + secondMoments + sharing + split + conjugateGradients).sorted {
      ($0.number, $0.form) < ($1.number, $1.form)
    }
}
