"""What torch's own forward and backward pass say: (name, conversion in words, array)."""

DISTRIBUTION, RUNTIME = "torch", "torch"


def gap(problem):
    """Why it is not asked, or None."""
    return None


class Library:
    def __init__(self, problem, wanted):
        self.problem = problem

    def values(self):
        problem, losses = self.problem, self.problem.losses().detach()
        words = f"{problem.loss_class.__name__} without reduction"
        if problem.likelihood["name"] == "gaussian":
            words += ", summed over outputs, over 2 variance"
        elif problem.likelihood["name"] == "bernoulli":
            words += ", summed over outputs"
        yield "logits", "the module's output", problem.model(problem.inputs).detach().numpy()
        yield "losses", words, losses.numpy()
        yield "loss", f"{words}, mean over N", losses.mean().numpy()
        for index, gradient in enumerate(problem.joined(problem.gradients)):
            words = "autograd.grad of the mean loss, W and b joined"
            yield f"layer{index + 1}.gradient", words, gradient
