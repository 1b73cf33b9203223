/// conventions.md: every convention on a page, and how the others are reached.
enum ConventionSheet {
  static let text = InlineMathematics.github(
    #"""
    # Convention sheet

    The second column of the first table has natgrad's choice, under which every number stands
    unless it says otherwise. To compare a number of your own, find your choice in the third column
    and multiply or reorder as it says. Look here first when two correct programs disagree.

    ## What natgrad computes

    | what | natgrad | other choices, and the way to natgrad's |
    |---|---|---|
    | Scale of statistics | mean over the $N$ examples: $A$, $G$, $F$, $\nabla h$ do not change when the data are duplicated | sums: divide each by $N$ |
    | Gradient in $G$ | of one example's loss, not divided by $N$ | gradient of the mean loss: multiply $G$ by $N^2$ if it was averaged, by $N$ if it was summed |
    | Parameter vector | $\mathrm{cvec}$: the columns of $[W\ b]$ under each other | rows ($\mathrm{rvec}$, row-major libraries): a permutation |
    | Kronecker order | $A \otimes G$, with $(A \otimes G)\,\mathrm{cvec}(V) = \mathrm{cvec}(G V A^\top)$ | on rows it is $G \otimes A$, the same numbers permuted |
    | Bias | the last homogeneous coordinate: $\bar a = [a; 1]$, $\bar W = [W\ b]$ | first: permute; separate: the blocks that join weight and bias are zero |
    | Layer | input $\bar a_{\ell-1}$, pre-activation $s_\ell = \bar W_\ell \bar a_{\ell-1}$, back-propagated $g_\ell = \partial(-\log p)/\partial s_\ell$ | $g$ after the nonlinearity: multiply by $\varphi'$ |
    | Loss | mean negative log-likelihood in nats; Gaussian with $\sigma^2 = 1$, so the loss is $\frac12 \lVert z-y \rVert^2$ plus a constant | squared error without the half: halve $G$ and $\nabla h$ (an empirical $G$: divide by 4); mean over the $C$ outputs too: multiply $G$ and $\nabla h$ by $C$ (an empirical $G$: by $C^2$) |
    | Fisher | exact expectation over the model's labels | Monte Carlo with $M$ labels: mean over $M$; empirical: the data's labels, another matrix |
    | Shared weights ($T$ positions) | stated per structure: expand or reduce | see the quantity's stated convention; powers of $T$ differ |
    | Step | $\theta \leftarrow \theta - \alpha u$, $u = (\hat F + \lambda I)^{-1} \nabla h$ | a sign in $u$ |
    | Moving average | none: the last batch alone, as in the THOR paper; averages are named by their weights and start | decay $\rho$, after $k$ batches, without correction: started at zero, divide by $1 - \rho^k$; started at the identity, subtract $\rho^k I$ first |
    | Eigenvalues | ascending; eigenvectors are columns, compared as $Q \Lambda Q^\top$ only | descending: reverse |
    | Split | diagonal blocks of size $d$, the last one shorter; split both factors, then damp | one factor only; damp first (the same here, since $\lambda I$ is block-diagonal) |
    | Arrays | double precision, column-major in memory; `.npz` files in C order | the axis order is stated in each file |

    ## Damping

    | name | matrix that is inverted | used by |
    |---|---|---|
    | `none` | $A \otimes G$ | theory |
    | `sqrt` | $(A + \sqrt\lambda I) \otimes (G + \sqrt\lambda I)$ | MindSpore's `nn/optim/thor.py` (commit 005dc05c), read and not run |
    | `factor` | $(A + \lambda I) \otimes (G + \lambda I)$ | THOR paper, Equation 6 |
    | `pi` | $(A + \pi\sqrt\lambda I) \otimes (G + \frac1\pi \sqrt\lambda I)$, $\pi^2 = \frac{\mathrm{tr} A / d_A}{\mathrm{tr} G / d_G}$ | Martens and Grosse 2015 |
    | `exact` | $A \otimes G + \lambda I$ | Tikhonov on the block |

    These are five different matrices for one $\lambda$: [chapter 06](06-damping.md) measures how far
    apart they are.

    ## How to state yours

    Copy these lines into a bug report and fill them in: reduction of the loss (sum, mean over
    examples, mean over examples and outputs); Fisher (true, Monte Carlo with $M$, empirical); factor
    of the squared error; order of the vector (columns, rows); place of the bias; damping by its name
    above; moving average (decay, start, correction); precision. The commands `natgrad list` and
    `natgrad compare --help` name the same choices.

    """#)
}
