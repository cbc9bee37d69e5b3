"""The distillation loss on tensors: the student learns, the teacher does not.

    α T² KL(p ‖ q) + (1 - α) cross-entropy      p: teacher at T, q: student at T

Hinton, Vinyals & Dean, "Distilling the Knowledge in a Neural Network", 2015, arXiv:1503.02531, §2. The library's
`kl_div(input, target)` is KL(target ‖ exp(input)): its first argument are logarithms; its mean over the samples is called
"batchmean", while "mean" divides by the number of classes as well.

Letters: N samples, C classes, T the temperature, α the weight of the soft term.
"""

from torch import Tensor
from torch.nn import functional

from reference._shapes import check_shapes


def distillation_loss_torch(
    student_logits: Tensor, teacher_logits: Tensor, labels: Tensor, temperature: float, soft_weight: float
) -> Tensor:
    """What a student is trained by. No gradient reaches the teacher.

    Args:
        student_logits: scores of the network that learns, (N, C).
        teacher_logits: scores of the network that stays as it is, (N, C); a constant.
        labels: true classes, (N,), integers from 0 to C-1.
        temperature: T of the soft term, above 0.
        soft_weight: α, the weight of the soft term, between 0 and 1.

    Returns:
        Mean over the samples, a tensor without axes: α T² KL(teacher at T ‖ student at T) - (1 - α) log softmax(student)[label].
    """
    check_shapes(locals(), student_logits="N C", teacher_logits="N C", labels="N")
    if temperature <= 0:
        raise ValueError(f"temperature must be positive, not {temperature}")
    log_p = functional.log_softmax(teacher_logits.detach() / temperature, dim=1)
    log_q = functional.log_softmax(student_logits / temperature, dim=1)
    soft = (log_p.exp() * (log_p - log_q)).sum(dim=1).mean()
    hard = functional.cross_entropy(student_logits, labels)
    return soft_weight * temperature**2 * soft + (1 - soft_weight) * hard
