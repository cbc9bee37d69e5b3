"""Wrong ideas about autoencoders. Where the reference, asked a little differently, acts one out, it is asked."""

import numpy as np
import torch
from autograder.properties import mutant
from torch.nn import functional

from reference.autoencoder_vae import (
    denoising_autoencoder_loss, gaussian_kl, linear_autoencoder, reparameterize, sparsity_penalty, vae_encoder_backward,
    vae_loss,
)
from reference.autoencoder_vae_torch import vae_loss_torch
from reference.numerics import sigmoid, softplus


@mutant(sparsity_penalty)
def penalty_in_the_other_direction(hidden, target_rate):
    """KL は対称ではありません。目標の ρ はどちらの側ですか。
    KL is not symmetric; on which side does the target ρ stand?"""
    rate = hidden.mean(axis=0)
    value = np.sum(rate * np.log(rate / target_rate) + (1 - rate) * np.log((1 - rate) / (1 - target_rate)))
    return float(value), sparsity_penalty(hidden, target_rate)[1]


@mutant(sparsity_penalty)
def penalty_forgets_the_inactive_half(hidden, target_rate):
    """発火しない確率の分布も比べていますか。
    Is the probability of *not* firing compared as well?"""
    value = np.sum(target_rate * np.log(target_rate / hidden.mean(axis=0)))
    return float(value), sparsity_penalty(hidden, target_rate)[1]


@mutant(sparsity_penalty)
def sparsity_per_sample(hidden, target_rate):
    """平均活性は、1 サンプルごとではなく何についての平均ですか。
    Over what is the mean activation taken: units of one sample, or the batch?"""
    parts = [sparsity_penalty(row[None], target_rate) for row in hidden]
    value = sum(value for value, _ in parts) / len(hidden)
    return float(value), np.concatenate([gradient for _, gradient in parts]) / len(hidden)


@mutant(sparsity_penalty)
def penalty_gradient_forgets_the_batch(hidden, target_rate):
    """平均を各サンプルで微分すると、どんな因子が付きますか。
    What factor appears when a mean is differentiated by one of its samples?"""
    value, gradient = sparsity_penalty(hidden, target_rate)
    return value, gradient * len(hidden)


@mutant(sparsity_penalty)
def penalty_is_averaged_over_units(hidden, target_rate):
    """ペナルティは、ユニットについて和ですか平均ですか。
    Is the penalty summed or averaged over the units?"""
    value, gradient = sparsity_penalty(hidden, target_rate)
    return value / hidden.shape[1], gradient


@mutant(denoising_autoencoder_loss)
def reconstructs_the_noisy_input(x, u, drop, W, b_hidden, b_visible):
    """雑音除去自己符号化器は、どちらのデータを復元する目標にしますか。
    Which of the two, clean or corrupted, should the output be close to?"""
    loss, *gradients = denoising_autoencoder_loss(x, u, drop, W, b_hidden, b_visible)
    noisy = x * (u >= drop)
    a = sigmoid(noisy @ W + b_hidden) @ W.T + b_visible
    return loss + float(np.sum((x - noisy) * a)) / len(x), *gradients


@mutant(denoising_autoencoder_loss)
def tied_weights_counted_once(x, u, drop, W, b_hidden, b_visible):
    """同じ W が計算グラフの何か所で使われていますか。
    In how many places of the graph is the same W used?"""
    loss, dW, db, dc = denoising_autoencoder_loss(x, u, drop, W, b_hidden, b_visible)
    noisy = x * (u >= drop)
    h = sigmoid(noisy @ W + b_hidden)
    da = (sigmoid(h @ W.T + b_visible) - x) / len(x)
    return loss, dW - da.T @ h, db, dc


@mutant(denoising_autoencoder_loss)
def encoder_sees_the_clean_input(x, u, drop, W, b_hidden, b_visible):
    """エンコーダに入るのは、雑音を加える前ですか、後ですか。
    Does the encoder receive the data before or after corruption?"""
    return denoising_autoencoder_loss(x, u, 0.0, W, b_hidden, b_visible)


@mutant(denoising_autoencoder_loss)
def loss_with_the_sign_of_the_logits(x, u, drop, W, b_hidden, b_visible):
    """x=0 の画素の損失は −log(1−σ(a)) です。a が大きいと、大きくなりますか小さくなりますか。
    The loss of a pixel x = 0 is −log(1−σ(a)): does it grow or fall with a?"""
    _, *gradients = denoising_autoencoder_loss(x, u, drop, W, b_hidden, b_visible)
    a = sigmoid(x * (u >= drop) @ W + b_hidden) @ W.T + b_visible
    return float(np.sum(softplus(-a) - x * a)) / len(x), *gradients


@mutant(denoising_autoencoder_loss)
def loss_is_the_squared_error(x, u, drop, W, b_hidden, b_visible):
    """δ_a = σ(a) − x は、どの損失の微分ですか。
    Of which loss is σ(a) − x the derivative?"""
    _, *gradients = denoising_autoencoder_loss(x, u, drop, W, b_hidden, b_visible)
    a = sigmoid(x * (u >= drop) @ W + b_hidden) @ W.T + b_visible
    return float(np.sum((sigmoid(a) - x) ** 2)) / len(x), *gradients


@mutant(denoising_autoencoder_loss)
def noise_keeps_below_drop(x, u, drop, W, b_hidden, b_visible):
    """drop=0.1 のとき、消える画素は1割ですか、9割ですか。
    With drop = 0.1, does a tenth of the pixels vanish, or nine tenths?"""
    return denoising_autoencoder_loss(x, 1.0 * (u < drop), 0.5, W, b_hidden, b_visible)


@mutant(denoising_autoencoder_loss)
def noise_is_rescaled(x, u, drop, W, b_hidden, b_visible):
    """この課題の雑音は、残した値を 1/(1−p) 倍しますか。
    Does this noise enlarge the kept values, as dropout does?"""
    noisy = x * (u >= drop) / (1 - drop)
    h = sigmoid(noisy @ W + b_hidden)
    a = h @ W.T + b_visible
    da = (sigmoid(a) - x) / len(x)
    dh = (da @ W) * h * (1 - h)
    return float(np.sum(softplus(a) - x * a)) / len(x), noisy.T @ dh + da.T @ h, dh.sum(axis=0), da.sum(axis=0)


@mutant(linear_autoencoder)
def pca_without_centring(x, k):
    """主成分を求める前に、データの中心をどこに置きますか。
    Where should the data be centred before looking for the main directions?"""
    V = np.linalg.svd(x, full_matrices=False)[2][:k].T
    return x @ V @ V.T


@mutant(linear_autoencoder)
def mean_not_added_back(x, k):
    """復元したデータの中心は、元のデータの中心と同じ場所にありますか。
    Is the reconstruction centred where the data are?"""
    return linear_autoencoder(x, k) - x.mean(axis=0)


@mutant(linear_autoencoder)
def least_axes_kept(x, k):
    """eigh は固有値を小さい順に返します。残したい軸は、分散が大きい方ですか、小さい方ですか。
    eigh returns eigenvalues in rising order: are the axes to keep those of large variance or of small?"""
    mean = x.mean(axis=0)
    V = np.linalg.eigh((x - mean).T @ (x - mean))[1][:, :k]
    return mean + (x - mean) @ V @ V.T


@mutant(reparameterize)
def variance_used_as_sigma(mu, logvar, noise):
    """ノイズに掛けるのは分散ですか、標準偏差ですか。
    Is the noise multiplied by the variance or by the standard deviation?"""
    return reparameterize(mu, 2 * logvar, noise)


@mutant(reparameterize)
def logarithm_used_as_sigma(mu, logvar, noise):
    """logvar は負にもなります。標準偏差は負になりますか。
    logvar may be negative: may a standard deviation?"""
    return mu + logvar * noise


@mutant(gaussian_kl)
def kl_with_the_sign_of_logvar(mu_q, logvar_q, mu_p, logvar_p):
    """σ² = 1, μ = 0 で極小になりますか。
    Is the minimum at σ² = 1, μ = 0?"""
    return gaussian_kl(mu_q, logvar_q, mu_p, logvar_p) + (logvar_q - logvar_p).sum(axis=1)


@mutant(gaussian_kl)
def kl_without_the_half(mu_q, logvar_q, mu_p, logvar_p):
    """ガウス分布の対数密度の前に付く係数を思い出しましょう。
    Recall the factor in front of the log density of a Gaussian."""
    return 2 * gaussian_kl(mu_q, logvar_q, mu_p, logvar_p)


@mutant(gaussian_kl)
def kl_ignores_the_prior_variance(mu_q, logvar_q, mu_p, logvar_p):
    """平均の差は、どの分布の広さを単位に測りますか。
    In units of whose spread is the distance of the means measured?"""
    return gaussian_kl(mu_q, logvar_q, mu_q, logvar_p) + 0.5 * ((mu_q - mu_p) ** 2).sum(axis=1)


@mutant(gaussian_kl)
def kl_the_other_way_round(mu_q, logvar_q, mu_p, logvar_p):
    """KL(q‖p) は、どちらの分布についての期待値ですか。平均の差を割る分散は、q と p のどちらのものですか。
    Under which of the two is KL(q‖p) an expectation? Whose variance divides the distance of the means?"""
    return gaussian_kl(mu_p, logvar_p, mu_q, logvar_q)


@mutant(gaussian_kl)
def kl_averaged_over_dimensions(mu_q, logvar_q, mu_p, logvar_p):
    """独立な次元が二つあるとき、対数密度の比は足しますか、平均しますか。
    With two independent dimensions, are the logarithms of the density ratios added or averaged?"""
    return gaussian_kl(mu_q, logvar_q, mu_p, logvar_p) / mu_q.shape[1]


@mutant(vae_loss)
def mean_over_pixels(x, logits, mu, logvar, beta):
    """ELBO では、画素の対数尤度は足しますか、平均しますか。
    In the ELBO, are the log-likelihoods of the pixels added or averaged?"""
    _, reconstruction, kl = vae_loss(x, logits, mu, logvar, beta)
    reconstruction /= x.shape[1]
    return reconstruction + beta * kl, reconstruction, kl


@mutant(vae_loss)
def mean_over_latents(x, logits, mu, logvar, beta):
    """KL は、潜在変数の次元について足しますか、平均しますか。
    Is the KL added up or averaged over the latent dimensions?"""
    _, reconstruction, kl = vae_loss(x, logits, mu, logvar, beta)
    kl /= mu.shape[1]
    return reconstruction + beta * kl, reconstruction, kl


@mutant(vae_loss)
def adds_the_elbo(x, logits, mu, logvar, beta):
    """ELBO を最大化することと、損失を最小化することで、KL の符号はどうなりますか。
    What sign has the KL term in a loss to be *minimised*?"""
    return vae_loss(x, logits, mu, logvar, -beta)


@mutant(vae_loss)
def cross_entropy_overflows(x, logits, mu, logvar, beta):
    """ロジットが 1500 のとき exp はどうなりますか。
    What is exp(1500)?"""
    _, _, kl = vae_loss(x, logits, mu, logvar, beta)
    with np.errstate(over="ignore"):
        reconstruction = float(np.mean(np.sum(np.log(1 + np.exp(logits)) - x * logits, axis=1)))
    return reconstruction + beta * kl, reconstruction, kl


@mutant(vae_loss)
def beta_on_the_reconstruction(x, logits, mu, logvar, beta):
    """β-VAE の β は、どちらの項に掛かりますか。
    Which term does the β of a β-VAE weigh?"""
    _, reconstruction, kl = vae_loss(x, logits, mu, logvar, beta)
    return beta * reconstruction + kl, reconstruction, kl


@mutant(vae_encoder_backward)
def gradient_misses_the_half_in_sigma(dz, mu, logvar, noise, beta):
    """σ = exp(logvar/2) を logvar で微分してみましょう。
    Differentiate σ = exp(logvar/2) by logvar."""
    dmu, _ = vae_encoder_backward(dz, mu, logvar, noise, beta)
    return dmu, vae_encoder_backward(2 * dz, mu, logvar, noise, beta)[1]


@mutant(vae_encoder_backward)
def sampling_stops_the_gradient(dz, mu, logvar, noise, beta):
    """再パラメータ化すると、再構成誤差は σ にも伝わります。
    With the reparameterisation the reconstruction error reaches σ too."""
    return vae_encoder_backward(dz, mu, logvar, 0 * noise, beta)


@mutant(vae_encoder_backward)
def encoder_kl_not_averaged(dz, mu, logvar, noise, beta):
    """KL はバッチの平均です。1サンプルの勾配に付く因子は何ですか。
    The KL is a batch mean: which factor has one sample's gradient?"""
    _, dlogvar = vae_encoder_backward(dz, mu, logvar, noise, beta)
    return dz + beta * mu, dlogvar


@mutant(vae_encoder_backward)
def divergence_shrinks_every_variance(dz, mu, logvar, noise, beta):
    """σ² = 1 のとき、KL の logvar についての勾配はいくつですか。
    What is the gradient of KL by logvar where σ² = 1?"""
    dmu, dlogvar = vae_encoder_backward(dz, mu, logvar, noise, beta)
    return dmu, dlogvar + 0.5 * beta / len(mu)


@mutant(vae_loss_torch)
def divergence_outside_the_graph(x, logits, mu, logvar, beta):
    """μ と logvar を detach すると、エンコーダは KL から何かを学べますか。
    With μ and logvar detached, does the encoder learn anything from the KL?"""
    return vae_loss_torch(x, logits, mu.detach(), logvar.detach(), beta)


@mutant(vae_loss_torch)
def mean_of_the_library(x, logits, mu, logvar, beta):
    """binary_cross_entropy_with_logits の既定の reduction は、何の数で割りますか。
    By what does binary_cross_entropy_with_logits divide by default?"""
    reconstruction = functional.binary_cross_entropy_with_logits(logits, x)
    kl = vae_loss_torch(x, logits, mu, logvar, beta)[2]
    return reconstruction + beta * kl, reconstruction, kl


@mutant(vae_loss_torch)
def probabilities_passed_as_logits(x, logits, mu, logvar, beta):
    """with_logits という名の関数には、シグモイドの前と後のどちらを渡しますか。
    Does a function named with_logits take what comes before the sigmoid, or after?"""
    return vae_loss_torch(x, torch.sigmoid(logits), mu, logvar, beta)


@mutant(vae_loss_torch)
def logvar_taken_for_sigma(x, logits, mu, logvar, beta):
    """exp(logvar) は、標準偏差ですか、分散ですか。もう一度 2 乗する必要がありますか。
    Is exp(logvar) the standard deviation or the variance? Need it be squared again?"""
    return vae_loss_torch(x, logits, mu, 2 * logvar, beta)
