/// The shape of a convolution or dense layer without bias, and the sizes of its Kronecker factors.
public struct LayerShape: Equatable, Sendable {
  public let name: String
  public let inputChannels: Int
  public let outputChannels: Int
  /// The side k of the square kernel; 1 for a dense layer.
  public let kernel: Int

  public init(_ name: String, _ inputChannels: Int, _ outputChannels: Int, kernel: Int = 1) {
    self.name = name
    self.inputChannels = inputChannels
    self.outputChannels = outputChannels
    self.kernel = kernel
  }

  /// d_A = c_in k², the number of rows of A.
  public var inputSize: Int { inputChannels * kernel * kernel }
  /// d_G = c_out, the number of rows of G.
  public var outputSize: Int { outputChannels }
}

/// The residual networks on which the THOR paper chooses its split.
///
/// Convolutions have no bias (batch normalization follows them), and the factor A of the last dense layer
/// is counted without the bias coordinate, as the last row of the table in section 7.6 of the
/// specification needs. Reference: He et al. 2016, arXiv 1512.03385, Table 1.
public enum ResidualNetwork: String, CaseIterable, Sendable {
  /// For ImageNet: 53 convolutions and a dense layer of 1000 classes.
  case resNet50 = "resnet-50"
  /// For CIFAR-10: 20 convolutions, the first of them 3 × 3, and a dense layer of 10 classes. The paper
  /// does not say which first layer it has; this is the usual one at 32 × 32 pixels.
  case resNet18 = "resnet-18"

  /// The layers in forward order, each downsampling shortcut after its block.
  public var layers: [LayerShape] {
    switch self {
    case .resNet50: Self.bottlenecks
    case .resNet18: Self.basicBlocks
    }
  }

  /// The split sizes that the paper lists for the network.
  public var splitSizes: [Int] {
    switch self {
    case .resNet50: SplitSizes.powersOfTwo
    case .resNet18: SplitSizes.nineTimesPowersOfTwo
    }
  }

  /// The split size that the paper uses for the network: Figures 8a and 6a.
  public var publishedSplit: Int {
    switch self {
    case .resNet50: 128
    case .resNet18: 72
    }
  }

  /// Blocks 1 × 1, 3 × 3, 1 × 1 with four times as many channels at the end.
  private static var bottlenecks: [LayerShape] {
    var layers = [LayerShape("conv1", 3, 64, kernel: 7)]
    var channels = 64
    for (stage, (width, count)) in [(64, 3), (128, 4), (256, 6), (512, 3)].enumerated() {
      for block in 0..<count {
        let name = "layer\(stage + 1).\(block)"
        layers.append(LayerShape("\(name).conv1", channels, width))
        layers.append(LayerShape("\(name).conv2", width, width, kernel: 3))
        layers.append(LayerShape("\(name).conv3", width, 4 * width))
        if block == 0 { layers.append(LayerShape("\(name).downsample", channels, 4 * width)) }
        channels = 4 * width
      }
    }
    return layers + [LayerShape("fc", channels, 1000)]
  }

  /// Blocks of two 3 × 3 convolutions.
  private static var basicBlocks: [LayerShape] {
    var layers = [LayerShape("conv1", 3, 64, kernel: 3)]
    var channels = 64
    for (stage, width) in [64, 128, 256, 512].enumerated() {
      for block in 0..<2 {
        let name = "layer\(stage + 1).\(block)"
        layers.append(LayerShape("\(name).conv1", channels, width, kernel: 3))
        layers.append(LayerShape("\(name).conv2", width, width, kernel: 3))
        if channels != width { layers.append(LayerShape("\(name).downsample", channels, width)) }
        channels = width
      }
    }
    return layers + [LayerShape("fc", channels, 10)]
  }
}
