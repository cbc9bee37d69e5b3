# %% [markdown] lang="ja"
# # モデルの軽量化: 蒸留・プルーニング・低ランク近似
#
# 精度の高いモデルは大きく、スマートフォンや IoT 機器などのエッジには載らないことがあります。**モデルの軽量化**は、精度をできるだけ保ちながら、計算量とメモリを減らす技術です。代表的な方法は三つです。
#
# - **量子化**: 数を少ないビットで表す(別の課題で扱います)。
# - **蒸留**: 大きな教師モデルの知識を、小さな生徒モデルに移す。
# - **プルーニング**(枝刈り): 寄与の小さい重みやニューロンを削る。
#
# ほかに、行列を細い二つの行列の積で表す**低ランク近似**や、MobileNet のように初めから軽い構造を使う方法があります。この課題では、蒸留、プルーニング、低ランク近似を実装します。
#
# | 記号 | 意味 | 記号 | 意味 |
# |---|---|---|---|
# | $N, C$ | サンプル数、クラス数 | $\alpha$ | ソフト項の重み |
# | $s, t$ | 生徒、教師のロジット | $L$ | 層の数 |
# | $T$ | 温度 | $m \times n,\ r$ | 行列の大きさ、階数 |
#
# **約束** 入力の配列を書き換えないでください。実数は float64 で計算します(float32 で返した値は、float32 の許容誤差で比べます)。1 回の呼び出しは 2 秒までです。

# %% [markdown] lang="en"
# # Small models: distillation, pruning, low rank
#
# Accurate models are large, often too large for a phone or an IoT device at the edge. **Model compression** cuts computation and memory while keeping as much accuracy as possible. The three usual ways:
#
# - **Quantisation**: numbers of fewer bits (a topic of its own).
# - **Distillation**: the knowledge of a large teacher is passed to a small student.
# - **Pruning**: weights or neurons of small effect are removed.
#
# Beside them there are **low-rank factors** (a matrix as the product of two thin ones) and structures that are light from the start, such as MobileNet. Here you will write distillation, pruning and low-rank factors.
#
# | letter | meaning | letter | meaning |
# |---|---|---|---|
# | $N, C$ | samples, classes | $\alpha$ | weight of the soft term |
# | $s, t$ | logits of student and teacher | $L$ | layers |
# | $T$ | temperature | $m \times n,\ r$ | a matrix, a rank |
#
# **Rules**: leave the arrays that you are given unchanged. Compute in float64 (what comes back in float32 is compared within the tolerance of float32). A call may take 2 seconds.

# %%
import numpy as np
from autograder import check

# %% [markdown] lang="ja"
# 次の三つの関数は、使ってかまいません。どれも大きなスコアで溢れません。

# %% [markdown] lang="en"
# You may use the next three functions. None of them overflows on large scores.

# %% given softmax
"""一つの軸についての確率: exp(x) をその和で割ったもの。"""

# %% given log_softmax
"""確率の対数。確率そのものが 0 に丸められるところでも有限である。"""

# %% given one_hot
"""長さ `classes` の軸を最後に加える。ラベル(0 … classes-1)のところが 1、ほかは 0。"""

# %% [markdown] lang="ja"
# ## 温度付き softmax
#
# 正解ラベルの one-hot は「犬」が 1、ほかはすべて 0 です。教師の出力は、これより多くを語ります。犬の画像に対して「猫」が 0.05、「車」が 0.002 なら、犬は車より猫に似ている、という**誤りのクラスどうしの比**がわかります。教師の確率を目標にしたものを**ソフトターゲット**といいます。
#
# ただし、よく学習した教師の確率は 1 と 0 に近く、この比がほとんど損失に現れません。そこで、ロジットを**温度** $T$ で**割って**から softmax をとります(Hinton ら、2015、式 (1))。
#
# $$p_i = \frac{\exp(z_i / T)}{\sum_j \exp(z_j / T)}$$
#
# ![温度が高いほど、分布はなだらかになる](temperature.svg)
#
# **例**。ロジット $(5, 2, -1)$ は、$T = 1$ なら $(0.950, 0.047, 0.002)$、$T = 4$ なら $(0.590, 0.279, 0.132)$ です。$T = 4$ での最初の二つの比は $e^{(5-2)/4} = e^{0.75} = 2.117$ です。順序は変わらず、$T \to \infty$ で一様分布になります。
#
# ロジットが数千でも溢れないようにしてください。行全体から同じ数を引いても、確率は変わりません。

# %% [markdown] lang="en"
# ## Softmax with a temperature
#
# A one-hot label says 1 for "dog", 0 for all else. A teacher's output says more: 0.05 for "cat" and 0.002 for "car" tell that this dog resembles a cat more than a car. These **ratios among the wrong classes** are what **soft targets** carry.
#
# But the probabilities of a well-trained teacher are close to 1 and 0, and the ratios hardly enter the loss. So the logits are **divided** by a **temperature** $T$ before the softmax (Hinton et al., 2015, eq. 1):
#
# $$p_i = \frac{\exp(z_i / T)}{\sum_j \exp(z_j / T)}$$
#
# ![The higher the temperature, the flatter the distribution](temperature.svg)
#
# **Example.** The logits $(5, 2, -1)$ give $(0.950, 0.047, 0.002)$ at $T = 1$ and $(0.590, 0.279, 0.132)$ at $T = 4$. The ratio of the first two at $T = 4$ is $e^{(5-2)/4} = e^{0.75} = 2.117$. The order stays, and for $T \to \infty$ all classes are equally likely.
#
# Logits of some thousands must not overflow: subtracting one number from a whole row leaves its probabilities alone.

# %% stub softened_softmax
"""温度付きの確率。温度が高いほどなだらかになる。

Args:
    logits: スコア、(N, C)。
    temperature: T。正の数で、1 なら普通の softmax。

Returns:
    (N, C): exp(z_i / T) / Σ_j exp(z_j / T)。
"""

# %%
softened_softmax(np.array([[5.0, 2.0, -1.0]]), 4.0)
# array([[0.58979766, 0.2786007 , 0.13160165]])

# %% graded softened_softmax

# %% [markdown] lang="ja"
# ## 蒸留の損失
#
# **教師の重みは固定**し、**生徒の重みだけ**を更新します。教師には、大きなモデルや、複数のモデルのアンサンブルを使います。生徒の損失は二つの項の和です。
#
# ![ソフト項は温度 T で教師と、ハード項は T = 1 でラベルと比べる](distillation.svg)
#
# $$\frac1N \sum_n \Bigl[\, \alpha\, T^2 \sum_i p_i (\log p_i - \log q_i) \;-\; (1 - \alpha) \log \mathrm{softmax}(s)_{y} \Bigr]$$
#
# - **ソフト項**は $\mathrm{KL}(p \,\|\, q)$ です。$p$ は教師、$q$ は生徒の確率で、**どちらも温度 $T$** です。重みは $\alpha$ で、$T^2$ を掛けます(理由は次の節)。
# - **ハード項**は正解ラベルとの交差エントロピーで、**いつも $T = 1$** です。
#
# クラスについては和、サンプルについては平均です。log の中には何も足しません。log-softmax を使えば、教師が確信していて $p_i$ が 0 に丸められても、$0 \cdot \log 0$ は自然に 0 になります。
#
# **例**。$N = 1$、$s = (0, 0)$、$t = (2 \log 3,\ 0)$、$T = 2$ なら $p = (0.75, 0.25)$、$q = (0.5, 0.5)$ で、$\mathrm{KL} = 0.75 \log 1.5 + 0.25 \log 0.5 = 0.1308$ です。$\alpha = 0.5$、正解が 0 なら、損失は $0.5 \cdot 4 \cdot 0.1308 + 0.5 \cdot \log 2 = 0.6082$ です。
#
# > **よくある間違い** 損失に「教師の誤差」はありません。比べるのは、生徒と教師(ソフト項)、生徒と正解ラベル(ハード項)です。
#
# > **よくある間違い** Romero ら(2015)の FitNets を「浅い生徒でも精度が出る」と読むのは誤りです。FitNets の生徒は、教師より**深くて細い**ネットワークで、教師の中間層をヒントにして学習します。

# %% [markdown] lang="en"
# ## The loss of distillation
#
# The **teacher's weights are fixed**; **only the student** learns. A teacher is a large model or an ensemble of models. The student's loss is the sum of two terms.
#
# ![The soft term compares with the teacher at T, the hard term with the label at T = 1](distillation.svg)
#
# $$\frac1N \sum_n \Bigl[\, \alpha\, T^2 \sum_i p_i (\log p_i - \log q_i) \;-\; (1 - \alpha) \log \mathrm{softmax}(s)_{y} \Bigr]$$
#
# - The **soft term** is $\mathrm{KL}(p \,\|\, q)$ with the probabilities $p$ of the teacher and $q$ of the student, **both at temperature $T$**. Its weight is $\alpha$, and it is multiplied by $T^2$ (the next section says why).
# - The **hard term** is the cross-entropy of the true labels, **always at $T = 1$**.
#
# Sum over the classes, mean over the samples. Add nothing inside a logarithm: with log-softmax, $0 \cdot \log 0$ comes out as 0 by itself even where a certain teacher's $p_i$ rounds to 0.
#
# **Example.** $N = 1$, $s = (0, 0)$, $t = (2 \log 3,\ 0)$, $T = 2$: $p = (0.75, 0.25)$, $q = (0.5, 0.5)$ and $\mathrm{KL} = 0.75 \log 1.5 + 0.25 \log 0.5 = 0.1308$. With $\alpha = 0.5$ and label 0 the loss is $0.5 \cdot 4 \cdot 0.1308 + 0.5 \cdot \log 2 = 0.6082$.
#
# > **Common mistake** There is no "error of the teacher" in the loss. What is compared is the student with the teacher (soft term) and the student with the labels (hard term).
#
# > **Common mistake** Reading FitNets (Romero et al., 2015) as "shallow students do well". Its students are **deeper and thinner** than the teacher, and learn from a hint: the teacher's middle layer.

# %% stub distillation_loss
"""生徒を学習させる損失: 教師の温度付きの確率と、正解ラベル。

Args:
    student_logits: 学習するネットワークのスコア、(N, C)。
    teacher_logits: 固定されたネットワークのスコア、(N, C)。
    labels: 正解のクラス、(N,)。0 から C-1 の整数。
    temperature: ソフト項の T。正の数。
    soft_weight: ソフト項の重み α。0 以上 1 以下。

Returns:
    α T² KL(T での教師 ‖ T での生徒) - (1 - α) log softmax(student)[label] の、サンプルについての平均。
"""

# %%
s, t = np.array([[0.0, 0.0]]), np.array([[2 * np.log(3), 0.0]])
distillation_loss(s, t, np.array([0]), 2.0, 0.5)
# 0.6081976...

# %% graded distillation_loss

# %% [markdown] lang="ja"
# ## なぜ T² を掛けるのか
#
# $q_i = \exp(s_i/T) / \sum_j \exp(s_j/T)$ なので、生徒のロジットでの微分は
#
# $$\frac{\partial\, \mathrm{KL}}{\partial s_i} = \frac1T\,(q_i - p_i)$$
#
# です(式 (2))。$1/T$ は、$s/T$ を $s$ で微分したものです。さらに $T$ が大きいと、$e^{x} \approx 1 + x$ から $q_i - p_i \approx \frac{1}{C\,T}\bigl((s_i - \bar s) - (t_i - \bar t)\bigr)$ となり、
#
# $$\frac{\partial\, \mathrm{KL}}{\partial s_i} \approx \frac{1}{C\,T^2}\bigl((s_i - \bar s) - (t_i - \bar t)\bigr)$$
#
# です(式 (3)(4))。ソフト項の勾配は $1/T^2$ で小さくなります。$T^2$ を掛けておけば、**温度を変えても、ハード項との釣り合いが保たれます**。このとき蒸留は、ロジットどうしの回帰になります。
#
# 損失全体では、$T^2$ のうち一つの $T$ が $1/T$ と打ち消しあいます。
#
# $$\frac{\partial\, \mathrm{loss}}{\partial s} = \frac1N \Bigl[\alpha\, T\, (q - p) + (1 - \alpha)\,(\mathrm{softmax}(s) - \mathrm{onehot}(y)) \Bigr]$$
#
# **例**。前の例では $\alpha T (q - p) = 0.5 \cdot 2 \cdot (-0.25,\ 0.25)$、$(1 - \alpha)(\mathrm{softmax}(s) - \mathrm{onehot}) = 0.5 \cdot (-0.5,\ 0.5)$ で、和は $(-0.5,\ 0.5)$ です。

# %% [markdown] lang="en"
# ## Why T²?
#
# As $q_i = \exp(s_i/T) / \sum_j \exp(s_j/T)$, the derivative in a logit of the student is
#
# $$\frac{\partial\, \mathrm{KL}}{\partial s_i} = \frac1T\,(q_i - p_i)$$
#
# (eq. 2), the $1/T$ being the derivative of $s/T$. For large $T$, moreover, $e^{x} \approx 1 + x$ makes $q_i - p_i \approx \frac{1}{C\,T}\bigl((s_i - \bar s) - (t_i - \bar t)\bigr)$, hence
#
# $$\frac{\partial\, \mathrm{KL}}{\partial s_i} \approx \frac{1}{C\,T^2}\bigl((s_i - \bar s) - (t_i - \bar t)\bigr)$$
#
# (eqs. 3, 4). The soft gradient shrinks like $1/T^2$; multiplied by $T^2$, it **keeps its balance with the hard term when the temperature is changed**, and distillation turns into a regression of the logits.
#
# In the whole loss one $T$ of $T^2$ cancels against $1/T$:
#
# $$\frac{\partial\, \mathrm{loss}}{\partial s} = \frac1N \Bigl[\alpha\, T\, (q - p) + (1 - \alpha)\,(\mathrm{softmax}(s) - \mathrm{onehot}(y)) \Bigr]$$
#
# **Example.** Above, $\alpha T (q - p) = 0.5 \cdot 2 \cdot (-0.25,\ 0.25)$ and $(1 - \alpha)(\mathrm{softmax}(s) - \mathrm{onehot}) = 0.5 \cdot (-0.5,\ 0.5)$, in all $(-0.5,\ 0.5)$.

# %% stub distillation_loss_backward
"""蒸留の損失の、生徒のロジットについての勾配。

z / T の微分が、T² のうちの一つの T を打ち消す。

Args:
    student_logits: 学習するネットワークのスコア、(N, C)。
    teacher_logits: 固定されたネットワークのスコア、(N, C)。
    labels: 正解のクラス、(N,)。0 から C-1 の整数。
    temperature: ソフト項の T。正の数。
    soft_weight: ソフト項の重み α。0 以上 1 以下。

Returns:
    (N, C): (α T (q - p) + (1 - α) (softmax(student) - onehot)) / N。p は T での教師、q は T での生徒の確率。
"""

# %%
distillation_loss_backward(s, t, np.array([0]), 2.0, 0.5)
# array([[-0.5,  0.5]])

# %% graded distillation_loss_backward

# %% [markdown] lang="ja"
# ## プルーニング: 絶対値の小さい重みを消す
#
# 学習したネットワークの重みの多くは 0 に近く、消しても出力はほとんど変わりません。**絶対値の小さい**重みから消し、残りを再学習します。
#
# - **非構造化プルーニング**: 重みを一つずつ消す。ここで実装するもの。
# - **構造化プルーニング**: ニューロンやチャネルを丸ごと消す。行列が小さくなるので、普通のハードウェアでもそのまま速くなる。
#
# 消す場所は**マスク**で表します。マスクは真偽値の配列で、`True` が「残す」です。**スパース率**は 0 の割合で、残す割合ではありません。
#
# まず、全層の重みをまとめて比べます。$n$ 個のうち、絶対値の小さい $\lfloor \text{sparsity} \cdot n \rfloor$ 個を消します。同じ大きさなら、先の層、その中では行ごとに先の重みを先に消します(`np.argsort` の `kind="stable"`)。
#
# **例**。$[[0.5, -0.1], [0.2, 2]]$ と $[[-0.3, 0.05, 1]]$ を半分消すと、$\lfloor 0.5 \cdot 7 \rfloor = 3$ 個。小さい方から $0.05,\ 0.1,\ 0.2$ が消えます。第 1 層は 2 個、第 2 層は 1 個で、**層ごとの割合は、同じになるとは限りません**。$-0.3$ は値としては最小ですが、絶対値では残ります。

# %% [markdown] lang="en"
# ## Pruning: weights of small magnitude go
#
# Many weights of a trained network are close to 0, and removing them hardly changes its output. Those of **smallest magnitude** go first, and the rest is trained again.
#
# - **Unstructured** pruning removes single weights. This is what you will write.
# - **Structured** pruning removes whole neurons or channels. The matrices become smaller, so that ordinary hardware is faster at once.
#
# A **mask** says what goes: an array of booleans in which `True` keeps. **Sparsity** is the share of zeros, not the share that stays.
#
# First, all layers are compared together: of $n$ weights the $\lfloor \text{sparsity} \cdot n \rfloor$ of smallest magnitude go. Of equal ones the weight in the earlier layer, and there in the earlier row and place, goes first (`kind="stable"` of `np.argsort`).
#
# **Example.** Half of $[[0.5, -0.1], [0.2, 2]]$ and $[[-0.3, 0.05, 1]]$ are $\lfloor 0.5 \cdot 7 \rfloor = 3$ weights: $0.05,\ 0.1,\ 0.2$ go, two of the first layer and one of the second. **Layers need not lose the same share.** $-0.3$ is the least value, but not the least magnitude: it stays.

# %% stub global_magnitude_masks
"""ネットワーク全体で最も小さい重みを消すとき、どの重みが残るか。

Args:
    layers: 各層の重み。任意の形の配列のリスト。
    sparsity: 0 の割合。0 以上 1 以下。

Returns:
    層ごとに、その層と同じ形の真偽値の配列。True が残す。全 n 個のうち、|w| の小さい floor(sparsity · n) 個が False。
    同じ大きさなら、先のものから消える(先の層から、層の中では行の順)。
"""

# %%
layers = [np.array([[0.5, -0.1], [0.2, 2.0]]), np.array([[-0.3, 0.05, 1.0]])]
global_magnitude_masks(layers, 0.5)
# [array([[ True, False], [False,  True]]), array([[ True, False,  True]])]

# %% graded global_magnitude_masks

# %% [markdown] lang="ja"
# ## 層ごとのしきい値
#
# 層によって重みの大きさは違います。Han ら(2015)は、しきい値をその層の重みの**標準偏差**の定数倍にしました。
#
# $$\text{残す} \iff |w| \ge \alpha \cdot \mathrm{std}(\text{その層})$$
#
# ![しきい値より 0 に近い重みが消える](threshold.svg)
#
# $\alpha$(引数では `quality`)を大きくするほど、多くの重みが消えます。標準偏差は平均からの離れ具合で、個数 $n$ で割ります(ddof = 0。numpy の既定値で、torch の既定値とは違います)。ちょうどしきい値の重みは残します。
#
# 返すのは、マスク、層ごとに消えた割合、全体で消えた割合です。全体の割合は、消えた数の合計を重みの総数で割ったものです。
#
# **例**。層 $[0, 4]$ は標準偏差 2 なので、$\alpha = 1$ で 0 が消えて割合は $1/2$。同じ値 5 が 6 個の層は標準偏差 0 なので、すべて残ります。全体は $1/8$ で、単純平均 $(1/2 + 0)/2 = 1/4$ ではありません。
#
# CaffeNet の実験を見ましょう。$\alpha = 0.5$ で全体の約 49 % が消えて精度は 92.00 % から 91.66 % に、$\alpha = 2.6$ では 99.5 % が消えて 87.08 % になりました。割合は層ごとに違います(全結合層 1〜3 は 49.54, 47.13, 57.21 %)。それでも全体が 48.86 % なのは、パラメータの多い最初の二つの層の割合が強く効くからです。(この実験の $\alpha$ が何に掛かるかは、ここの式と同じとは限りません。重みが平均 0 の正規分布なら、ここの式は $\alpha = 0.5$ で 38.3 % を消します。)
#
# > **よくある間違い** しきい値を**超えた**重みを消すのではありません。**下回った**重みを消します。
#
# > **よくある間違い** 92.00 % から 91.66 % は、0.34 %ではなく 0.34 **ポイント**の低下です。

# %% [markdown] lang="en"
# ## A threshold for each layer
#
# Layers differ in the size of their weights. Han et al. (2015) made the threshold a multiple of the **standard deviation** of the layer's weights:
#
# $$\text{keep} \iff |w| \ge \alpha \cdot \mathrm{std}(\text{the layer})$$
#
# ![Weights nearer to 0 than the threshold go](threshold.svg)
#
# The larger $\alpha$ (the argument `quality`), the more goes. A standard deviation is about the mean, and divides by the number $n$ (ddof = 0, numpy's default but not torch's). A weight exactly on the threshold stays.
#
# Return the masks, the share of each layer that goes, and the share of the whole that goes: all that is removed over all the weights.
#
# **Example.** The layer $[0, 4]$ has the standard deviation 2, so that with $\alpha = 1$ the 0 goes, a share of $1/2$. A layer of six 5s has the standard deviation 0 and stays whole. In all $1/8$ goes, not the plain mean $(1/2 + 0)/2 = 1/4$.
#
# An experiment with CaffeNet: at $\alpha = 0.5$ about 49 % of the weights go and the accuracy falls from 92.00 % to 91.66 %; at $\alpha = 2.6$, 99.5 % go and 87.08 % is left. The shares differ by layer (49.54, 47.13 and 57.21 % of the fully connected layers 1 to 3); yet the whole is 48.86 %, as the first two layers hold most of the parameters. (What $\alpha$ multiplies there need not be the rule used here, which removes 38.3 % of normal weights of mean 0 at $\alpha = 0.5$.)
#
# > **Common mistake** It is not the weights **above** the threshold that are removed, but those **below**.
#
# > **Common mistake** From 92.00 % to 91.66 % is a fall by 0.34 **points**, not by 0.34 %.

# %% stub layer_threshold_masks
"""層ごとにしきい値をもつとき、どの重みが残るか。

Args:
    layers: 各層の重み。任意の形の配列のリスト。
    quality: その層の標準偏差(平均のまわり、ddof 0)の何倍をしきい値とするか。0 以上。

Returns:
    masks: 層ごとに、その層と同じ形の真偽値の配列。|w| ≥ quality · その層の標準偏差 なら True。
    removed: 各層の消えた割合、(L,)。
    removed_total: 全重みのうち消えた割合。
"""

# %%
layer_threshold_masks([np.array([0.0, 4.0]), np.full((3, 2), 5.0)], 1.0)
# ([array([False,  True]), array([[ True,  True], ...])], array([0.5, 0. ]), 0.125)

# %% graded layer_threshold_masks

# %% [markdown] lang="ja"
# ## マスクを掛けて再学習する
#
# 順序は「学習 → 小さい重みを消す → 再学習(fine-tuning)」で、必要なら繰り返します。再学習では、残った重みだけを動かします。モメンタム SGD なら
#
# $$v' = (\mu v - \eta\, g) \odot m, \qquad w' = (w + v') \odot m$$
#
# です。消した重みは、値も**速度も** 0 にします。学習中に 0 でない値が渡されても、戻ってはいけません。
#
# **例**。$w = (1, 2)$、$g = (0.5, 0.5)$、$v = (0.1, 0.2)$、$m = (\text{True}, \text{False})$、$\eta = 0.1$、$\mu = 0.9$。最初の速度は $0.9 \cdot 0.1 - 0.1 \cdot 0.5 = 0.04$ で、重みは $1.04$。二つ目はどちらも 0 です。

# %% [markdown] lang="en"
# ## Fine-tuning under a mask
#
# The order is: train, remove small weights, fine-tune; again where needed. In fine-tuning only the weights that are left move. For SGD with momentum,
#
# $$v' = (\mu v - \eta\, g) \odot m, \qquad w' = (w + v') \odot m.$$
#
# A removed weight has the value 0 and the **velocity** 0, whatever it comes in with: it must not come back.
#
# **Example.** $w = (1, 2)$, $g = (0.5, 0.5)$, $v = (0.1, 0.2)$, $m = (\text{True}, \text{False})$, $\eta = 0.1$, $\mu = 0.9$: the first velocity is $0.9 \cdot 0.1 - 0.1 \cdot 0.5 = 0.04$ and its weight $1.04$; of the second both are 0.

# %% stub masked_momentum_step
"""プルーニング後の再学習の一歩。消した重みは消えたままで、動かない。

Args:
    w: 重み。任意の形。
    grad: 勾配。w と同じ形。
    velocity: 一歩の前の速度。w と同じ形。
    mask: 真偽値。w と同じ形で、True が残す。
    lr: 学習率 η。
    momentum: μ。

Returns:
    w: (w + v') · mask。
    velocity: v' = (μ v - η g) · mask。
"""

# %%
half, keep = np.array([0.5, 0.5]), np.array([True, False])
masked_momentum_step(np.array([1.0, 2.0]), half, np.array([0.1, 0.2]), keep, 0.1, 0.9)
# (array([1.04, 0.  ]), array([0.04, 0.  ]))

# %% graded masked_momentum_step

# %% [markdown] lang="ja"
# ## スパースなら軽くて速いのか
#
# - **記憶**: 0 を省いて保存するには、値のほかに位置が要ります。CSR 形式では「0 でない数 ×(値 + 列番号)」と行の先頭の位置 $m + 1$ 個です。どれも 32 ビットなら、0 でない割合がおよそ 50 % より低くないと得になりません。
# - **速度**: 90 % を 0 にしても、GPU は 10 倍速くなりません。密な行列積は 0 を飛ばさず、疎な行列積は不規則なメモリアクセスをするからです。

# %% [markdown] lang="en"
# ## Is sparse small and fast?
#
# - **Memory**: leaving zeros out means storing places. CSR keeps, for every non-zero, its value and its column, and $m + 1$ starts of rows. With 32 bits for each it pays only where less than about 50 % are non-zero.
# - **Speed**: with 90 % zeros a GPU is not 10 times as fast. Dense products do not skip zeros, and sparse ones read memory irregularly.

# %% [markdown] lang="ja"
# ## 低ランク近似
#
# 全結合層の重み $W$($m \times n$)を、細い二つの行列の積で置き換えます。
#
# ![大きな W を、細い A と B の積で表す](factors.svg)
#
# 階数 $r$ の中で誤差 $\|W - AB\|^2$(成分の 2 乗和)が最小になるのは、**特異値分解**の大きい方から $r$ 個をとったときです(Eckart・Young の定理)。
#
# $$A = U_r \Sigma_r, \qquad B = V_r^\top, \qquad \|W - AB\|^2 = \sum_{i > r} \sigma_i^2$$
#
# パラメータ数も積和の回数も、$mn$ から $r(m + n)$ になります。減るのは $r < \frac{mn}{m + n}$ のときだけです。$4096 \times 4096$ なら $r \le 2047$ で、$r = 64$ なら $64 \cdot 8192 / 4096^2 = 1/32$ になります。
#
# 採点では積 $AB$ と形だけを見ます。符号や、$\Sigma$ を $A$ と $B$ にどう分けるかは自由です。
#
# **例**。$W = \begin{pmatrix} 3 & 0 \\ 0 & 1 \end{pmatrix}$ の特異値は 3 と 1 です。$r = 1$ なら $AB = \begin{pmatrix} 3 & 0 \\ 0 & 0 \end{pmatrix}$ で、誤差は $1^2 = 1$ です。

# %% [markdown] lang="en"
# ## Low rank
#
# The weights $W$ ($m \times n$) of a fully connected layer are replaced by the product of two thin matrices.
#
# ![A large W as the product of thin A and B](factors.svg)
#
# Of all matrices of rank $r$ the one with the least error $\|W - AB\|^2$ (sum of squares) takes the $r$ largest components of the **singular value decomposition** (the theorem of Eckart and Young):
#
# $$A = U_r \Sigma_r, \qquad B = V_r^\top, \qquad \|W - AB\|^2 = \sum_{i > r} \sigma_i^2$$
#
# Parameters and multiply–adds go from $mn$ to $r(m + n)$, a saving only where $r < \frac{mn}{m + n}$. For $4096 \times 4096$ that is $r \le 2047$; $r = 64$ gives $64 \cdot 8192 / 4096^2 = 1/32$.
#
# Only the product $AB$ and the shapes are graded: signs, and how $A$ and $B$ share $\Sigma$, are free.
#
# **Example.** $W = \begin{pmatrix} 3 & 0 \\ 0 & 1 \end{pmatrix}$ has the singular values 3 and 1. For $r = 1$, $AB = \begin{pmatrix} 3 & 0 \\ 0 & 0 \end{pmatrix}$ with the error $1^2 = 1$.

# %% stub low_rank_factors
"""大きな行列を表す、細い二つの行列。その階数で 2 乗誤差が最小になる。

Args:
    W: 重み、(m, n)。
    rank: 階数 r。1 から min(m, n)。

Returns:
    A: U_r Σ_r。左特異ベクトルに、大きい方から r 個の特異値を掛けたもの、(m, r)。
    B: V_rᵀ。右特異ベクトル、(r, n)。
"""

# %%
A, B = low_rank_factors(np.array([[3.0, 0.0], [0.0, 1.0]]), 1)
A @ B
# array([[3., 0.], [0., 0.]])

# %% graded low_rank_factors

# %% [markdown] lang="ja"
# ## テンソルで書く: 学習するのは生徒だけ
#
# 同じ損失をテンソルで書けば、勾配は自動微分が求めます。ただし、**教師のロジットは定数として扱い**、勾配を流しません(`detach()` か `torch.no_grad()`)。結果は軸のないテンソルで、入力と同じ dtype・デバイスにし、生徒のロジットで微分できるようにしてください。
#
# ライブラリの `kl_div(input, target)` を使うときの注意は二つあります。
#
# - 第 1 引数は確率ではなく、生徒の**対数確率**です。
# - `reduction="mean"` は $N \cdot C$ で割ります。サンプルについての平均は `reduction="batchmean"` です。

# %% [markdown] lang="en"
# ## On tensors: only the student learns
#
# Written on tensors, the same loss gets its gradient from autograd. The **teacher's logits are a constant**: no gradient may reach them (`detach()` or `torch.no_grad()`). Return a tensor without axes, in the inputs' dtype and on their device, and keep it differentiable in the student's logits.
#
# If you use the library's `kl_div(input, target)`, mind two things.
#
# - Its first argument are the student's **log-probabilities**, not probabilities.
# - `reduction="mean"` divides by $N \cdot C$; the mean over the samples is `reduction="batchmean"`.

# %%
import torch

# %% stub distillation_loss_torch
"""生徒を学習させる損失。教師には勾配を流さない。

Args:
    student_logits: 学習するネットワークのスコア、(N, C)。
    teacher_logits: 固定されたネットワークのスコア、(N, C)。定数とみなす。
    labels: 正解のクラス、(N,)。0 から C-1 の整数。
    temperature: ソフト項の T。正の数。
    soft_weight: ソフト項の重み α。0 以上 1 以下。

Returns:
    サンプルについての平均、軸のないテンソル: α T² KL(T での教師 ‖ T での生徒) - (1 - α) log softmax(student)[label]。
"""

# %%
student = torch.tensor([[0.0, 0.0]], requires_grad=True)
teacher = torch.tensor([[2 * np.log(3), 0.0]])
loss = distillation_loss_torch(student, teacher, torch.tensor([0]), 2.0, 0.5)
torch.autograd.grad(loss, student)
# (tensor([[-0.5000,  0.5000]]),)

# %% graded distillation_loss_torch

# %% [markdown] lang="ja"
# ## 試験で問われること
#
# - 軽量化の代表的な三つの方法は、量子化・蒸留・プルーニング。精度を保ちながら計算量とメモリを減らし、モバイル・IoT などのエッジで使えるようにする。メモリに余裕のあるサーバーでは大きなモデルを、余裕のない端末では軽いモデルを使う。
# - 蒸留では教師の重みを固定し、生徒の重みだけを更新する。教師は大きなモデルやアンサンブル。
# - 温度を上げると分布はなだらかになり、誤りのクラスどうしの比が損失に現れる。
# - ソフト項(教師と、温度 $T$)には $T^2$ を掛け、ハード項(正解ラベルと)は $T = 1$ で計算する。$T^2$ がなければ、ソフト項の勾配は $1/T^2$ で小さくなる。
# - FitNets の生徒は、教師より深くて細い。
# - プルーニングは、絶対値がしきい値を**下回る**重みを消し、マスクを掛けて再学習する。消える割合は層ごとに違い、全体の割合は重みの数で加重した平均である。
# - 非構造化プルーニングはそのままでは速くならない。ニューロンやチャネルを消す構造化プルーニングなら速くなる。
# - 低ランク近似のパラメータ数は $r(m+n)$ で、$r < mn/(m+n)$ のときだけ減る。

# %% [markdown] lang="en"
# ## What the exam asks
#
# - The three usual ways to compress are quantisation, distillation and pruning: less computation and memory at kept accuracy, for mobile, IoT and other edge devices. A server with memory to spare runs the large model, a device without runs the light one.
# - In distillation the teacher is fixed and only the student is updated. The teacher is a large model or an ensemble.
# - A higher temperature flattens the distribution, so that the ratios among the wrong classes enter the loss.
# - The soft term (with the teacher, at $T$) is multiplied by $T^2$; the hard term (with the labels) is taken at $T = 1$. Without $T^2$ the soft gradient shrinks like $1/T^2$.
# - The students of FitNets are deeper and thinner than the teacher.
# - Pruning removes weights whose magnitude is **below** the threshold and fine-tunes under the mask. Shares differ by layer; the total is their mean weighted by the numbers of weights.
# - Unstructured pruning is not faster by itself; structured pruning, of neurons or channels, is.
# - Low-rank factors have $r(m+n)$ parameters, fewer only where $r < mn/(m+n)$.
