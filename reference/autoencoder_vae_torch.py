"""The loss of a variational autoencoder on tensors: the formula of `reference.autoencoder_vae`, differentiated by autograd.

Every result stays on the device and in the dtype of the arguments, and in the graph.

Letters: N samples, D pixels, Z latent dimensions.
"""

from torch import Tensor
from torch.nn import functional


def vae_loss_torch(x: Tensor, logits: Tensor, mu: Tensor, logvar: Tensor, beta: float) -> tuple[Tensor, Tensor, Tensor]:
    """What a VAE minimises: -ELBO with one sample of z, for β = 1 (Kingma & Welling, 2014, eq. 10).

    Args:
        x: pixels in [0, 1], (N, D).
        logits: log-odds of each pixel, (N, D).
        mu: means of q(z|x), (N, Z).
        logvar: log variances of q(z|x), (N, Z).
        beta: weight of the divergence.

    Returns:
        loss: reconstruction + β kl, a tensor without axes.
        reconstruction: the cross-entropy, summed over pixels, averaged over samples, a tensor without axes.
        kl: KL(q(z|x)‖N(0, I)), summed over z, averaged over samples, a tensor without axes.
    """
    cross_entropy = functional.binary_cross_entropy_with_logits(logits, x, reduction="none")
    reconstruction = cross_entropy.sum(dim=1).mean()
    kl = 0.5 * (mu**2 + logvar.exp() - logvar - 1).sum(dim=1).mean()
    return reconstruction + beta * kl, reconstruction, kl
