import DenseAlgebra
import Networks

/// One mistake of the catalogue: a recipe for curvature with one wrong stage, and how it shows.
///
/// The numbers are those of the specification, section 11; a letter tells forms of one mistake apart.
/// Mistakes are named by what they do, whoever makes them.
public struct Mistake: Sendable {
  /// M-01 to M-67.
  public let number: Int
  /// A letter where a mistake has several forms.
  public let form: String
  /// What is done instead of what, in one sentence.
  public let name: String
  /// The wrong formula; its primed symbols are the dumped ones.
  public let wrong: String
  /// The formula that it stands for.
  public let right: String
  /// What tells it from every other mistake.
  public let mark: String
  /// The first quantities of a layer that it changes; what is computed from them changes too.
  public let changes: [Quantity]
  /// The tests that it fails.
  public let caughtBy: [Catch]
  /// What a setting must have for the mistake to make a difference.
  public let needs: [Need]
  /// Where its signature is tested and its distance to the others is measured.
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

  /// M-01, M-08a.
  public var id: String { "M-" + (number < 10 ? "0" : "") + "\(number)\(form)" }

  /// The recipe with this mistake in it.
  public var recipe: CurvatureRecipe {
    var recipe = CurvatureRecipe()
    change(&recipe)
    return recipe
  }

  /// What a program with this mistake would dump.
  public func dump(_ setting: CurvatureSetting) -> CurvatureDump { recipe.dump(setting) }

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
  /// Every mistake, by number and form.
  public static let all: [Mistake] =
    (scale + fisher + order + records + solve + damping + averages
    + inverses + secondMoments + sharing + split + conjugateGradients).sorted {
      ($0.number, $0.form) < ($1.number, $1.form)
    }
}
