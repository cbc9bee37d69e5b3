# %% [markdown] lang="ja"
# # 量子化: 浮動小数点数の形式と int8
#
# **量子化**は、数をより少ないビットで表すことです。メモリが減り(省メモリ化)、同じ時間に多く計算でき(高速化)、その代わり精度が少し下がります。二つの段階があります。
#
# 1. **短い浮動小数点数**にする。fp64(倍精度)→ fp32(単精度)→ fp16(半精度)・bf16。学習でも使われ、**混合精度**とも呼びます。
# 2. **整数**にする。尺度 $s$ とゼロ点 $z$ を添えた int8 が代表です。推論で使われ、深層学習で単に「量子化」といえば、主にこちらです。
#
# | 記号 | 意味 | 記号 | 意味 |
# |---|---|---|---|
# | $e, m$ | 指数部・仮数部のビット数 | $s$ | 尺度(スケール、scale)、隣の値との間隔 |
# | $S, E, F$ | 符号・指数部・仮数部のビット列を整数とみた値 | $z$ | ゼロ点(ゼロポイント、zero point)、実数の 0 を表す整数 |
# | bias | $2^{e-1} - 1$ | $q$ | 量子化した整数 |
#
# **約束**: 丸めはすべて「最も近い値へ、ちょうど中間なら**偶数**へ」です(`round` と `np.rint` がそうします)。渡された配列を書き換えないでください。計算は float64 で行います(`encode_float` 以外では、float32 で返した値は float32 の許容誤差で比べます)。整数を求める関数は整数で返します(型の幅は自由)。1 回の呼び出しは 2 秒までです。

# %% [markdown] lang="en"
# # Quantisation: formats of floats, and int8
#
# **Quantising** is writing numbers in fewer bits. It saves memory and computes more in the same time, for a little accuracy. There are two stages.
#
# 1. **Shorter floats**: fp64 (double) → fp32 (single) → fp16 (half), bf16. These serve in training, too: **mixed precision**.
# 2. **Integers**: int8 with a scale $s$ and a zero point $z$ above all. These serve in inference, and are what deep learning chiefly means by "quantisation".
#
# | letter | meaning | letter | meaning |
# |---|---|---|---|
# | $e, m$ | bits of exponent and mantissa | $s$ | scale: the distance between neighbours |
# | $S, E, F$ | the bits of sign, exponent and mantissa, read as integers | $z$ | zero point: the integer that stands for the real 0 |
# | bias | $2^{e-1} - 1$ | $q$ | the quantised integer |
#
# **Rules**: rounding is always to the nearest, half way to the **even** (`round` and `np.rint` do so). Leave the arrays that you are given unchanged. Compute in float64 (except for `encode_float`, what comes back in float32 is compared within the tolerance of float32). Where integers are asked, return integers, of any width. A call may take 2 seconds.

# %%
import math

import numpy as np
from autograder import check

# %% [markdown] lang="ja"
# ## ビット列を読む
#
# 浮動小数点数は、符号・指数部・仮数部を並べたビット列です。**範囲は指数部、細かさは仮数部**と、二つの性質は別々の場所で決まります。
#
# ![5 つの形式の符号・指数部・仮数部](layouts.svg)
#
# 値は指数部 $E$ によって三通りに読みます。
#
# $$
# \text{値} = \begin{cases}
# (-1)^S \cdot \dfrac{F}{2^m} \cdot 2^{1 - \text{bias}} & E = 0 \quad\text{(0 と非正規化数)}\\[4pt]
# (-1)^S \cdot \left(1 + \dfrac{F}{2^m}\right) \cdot 2^{E - \text{bias}} & 1 \le E \le 2^e - 2 \quad\text{(正規化数)}\\[4pt]
# \pm\infty\ (F = 0),\ \text{NaN}\ (F \ne 0) & E = 2^e - 1
# \end{cases}
# $$
#
# 正規化数の先頭の 1 は書きません(隠れた 1)。次の図は $e = 2$、$m = 2$、bias 1 の形式の、0 以上のすべての数です。
#
# ![e = 2、m = 2 の形式の 0 以上の数](number_line.svg)
#
# **手で計算**: fp16 の `0xC100` は `1 10000 0100000000`。$S = 1$、$E = 16$、$F = 256$ なので $-(1 + 256/1024) \cdot 2^{16 - 15} = -2.5$ です。`0x0001` は $E = 0$、$F = 1$ なので $2^{-10} \cdot 2^{-14} = 2^{-24}$ です。
#
# | 形式 | $\varepsilon = 2^{-m}$ | 最大値 $(2 - 2^{-m})\,2^{\text{bias}}$ | 最小の正規化数 $2^{1-\text{bias}}$ | 最小の正の数 |
# |---|---|---|---|---|
# | fp64 | 2.2e-16 | 1.80e308 | 2.225074e-308 | 4.9e-324 |
# | fp32 | 1.2e-7 | 3.40e38 | 1.175494e-38 | 1.4e-45 |
# | fp16 | 9.8e-4 | 65504 | 6.1e-5 | 6.0e-8 |
# | bf16 | 7.8e-3 | 3.39e38 | 1.175494e-38 | 9.2e-41 |
#
# bf16 は fp32 と同じ指数部をもつので範囲が同じで、fp16 より粗い。fp16 は細かいが、65504 を超えるとあふれます。
#
# > **よくある間違い**
# > - fp32 の値を無条件に $(-1)^S \cdot 2^{E-127} \cdot 1.F$ とする。成り立つのは $E = 1, \dots, 254$ だけです。そのままでは **0 を書けません**。
# > - 1.175494e-38 や 2.225074e-308 より小さい数は表せない、とする。これらは最小の**正規化数**です。$E = 0$ の**非正規化数**が、その下を 1.4e-45、4.9e-324 まで埋めます。
# > - 「桁数が足りない」と「範囲が足りない」を混同する。前者は仮数部、後者は指数部の話です。重みで問題になるのは、ふつう前者です。

# %% [markdown] lang="en"
# ## Reading bits
#
# A float is a string of bits: sign, exponent, mantissa. **The exponent gives the range, the mantissa the fineness**: two properties, from two fields.
#
# ![Sign, exponent and mantissa of five formats](layouts.svg)
#
# The exponent field $E$ says which of three readings holds.
#
# $$
# \text{value} = \begin{cases}
# (-1)^S \cdot \dfrac{F}{2^m} \cdot 2^{1 - \text{bias}} & E = 0 \quad\text{(zero and subnormals)}\\[4pt]
# (-1)^S \cdot \left(1 + \dfrac{F}{2^m}\right) \cdot 2^{E - \text{bias}} & 1 \le E \le 2^e - 2 \quad\text{(normals)}\\[4pt]
# \pm\infty\ (F = 0),\ \text{NaN}\ (F \ne 0) & E = 2^e - 1
# \end{cases}
# $$
#
# The leading 1 of a normal number is not stored (the hidden 1). The next figure has all numbers from 0 on of the format $e = 2$, $m = 2$, bias 1.
#
# ![The non-negative numbers of the format e = 2, m = 2](number_line.svg)
#
# **By hand**: in fp16 `0xC100` is `1 10000 0100000000`. With $S = 1$, $E = 16$, $F = 256$ it is $-(1 + 256/1024) \cdot 2^{16 - 15} = -2.5$. And `0x0001` has $E = 0$, $F = 1$: $2^{-10} \cdot 2^{-14} = 2^{-24}$.
#
# | format | $\varepsilon = 2^{-m}$ | greatest $(2 - 2^{-m})\,2^{\text{bias}}$ | least normal $2^{1-\text{bias}}$ | least positive |
# |---|---|---|---|---|
# | fp64 | 2.2e-16 | 1.80e308 | 2.225074e-308 | 4.9e-324 |
# | fp32 | 1.2e-7 | 3.40e38 | 1.175494e-38 | 1.4e-45 |
# | fp16 | 9.8e-4 | 65504 | 6.1e-5 | 6.0e-8 |
# | bf16 | 7.8e-3 | 3.39e38 | 1.175494e-38 | 9.2e-41 |
#
# bf16 has the exponent field of fp32, hence its range, and is coarser than fp16. fp16 is finer, but overflows beyond 65504.
#
# > **Common mistakes**
# > - "An fp32 is $(-1)^S \cdot 2^{E-127} \cdot 1.F$", without a condition. That holds for $E = 1, \dots, 254$ alone; by it **zero could not be written**.
# > - "Nothing below 1.175494e-38 or 2.225074e-308 can be represented." These are the least **normal** numbers. The **subnormals** ($E = 0$) fill the space below, down to 1.4e-45 and 4.9e-324.
# > - Taking too few digits for too little range. The first is the mantissa, the second the exponent. What hurts weights is mostly the first.

# %% stub decode_float
"""ビット列 S E F が表す数。

Args:
    bits: ビット列を整数とみたもの、0 … 2^(1+e+m) - 1。
    exponent_bits: 指数部のビット数 e、2 … 11。
    mantissa_bits: 仮数部のビット数 m、1 … 52。

Returns:
    float64 での値。±∞ と NaN もある。
"""

# %%
print(decode_float(0xC100, 5, 10), decode_float(1, 5, 10))  # -2.5 5.960464477539063e-08
print(decode_float(0x3DCC, 8, 7), decode_float(0xFF80, 8, 7))  # 0.099609375 -inf
print([decode_float(b, 2, 2) for b in range(12)])  # the marks on the line of the figure

# %% graded decode_float

# %% [markdown] lang="ja"
# ## 数をビット列にする
#
# 逆に、$x$ に最も近い数のビット列を求めます。
#
# 1. 指数 $k = \lfloor \log_2 |x| \rfloor$。ただし $1 - \text{bias}$ より小さくはしません(それより小さい数は非正規化数)。$x = 0$ も $k = 1 - \text{bias}$ とします。
# 2. $|x|$ を $2^{k-m}$ 単位で数えて、偶数への丸めで整数 $n$ にします。正規化数なら $2^m \le n \le 2^{m+1}$ です。
# 3. 符号を除いたビット列は $(k + \text{bias} - 1) \cdot 2^m + n$ です。隠れた 1 の分の $2^m$ が、指数部を 1 だけ増やします。丸めで桁が上がっても、同じ式で指数部に繰り上がります。
# 4. $E$ がすべて 1 に届いたら **∞** です(最大値で止めません)。
#
# **手で計算**: 0.1 を fp16 に。$0.1 = 1.6 \times 2^{-4}$ なので $k = -4$、$n = \mathrm{round}(1.6 \times 1024) = \mathrm{round}(1638.4) = 1638$。ビット列は $(-4 + 14) \cdot 1024 + 1638 = 11878$。読み戻すと 0.0999755859375 で、0.1 そのものではありません。
#
# - `math.frexp(x)` は $x = f \cdot 2^p$、$0.5 \le |f| < 1$ となる $(f, p)$ を返します($k = p - 1$)。`math.frexp(0.0)` の $p$ は 0 です。
# - $-0.0$ の符号ビットは 1 です。NaN は NaN を表すビット列ならどれでもかまいません。
# - 丸めは **1 回だけ**です。先に fp32 に変換すると二重に丸めることになります。
#
# > **よくある間違い** 1 KB は 1000 B、1 KiB は 1024 B です。「8 バイトの数が 1024 個で 8 KB」は、正しくは 8 KiB です。必要なメモリは **パラメータ数 × ビット数 / 8** バイトで求めます。BERT-base(1.1 億個)は fp32 で 0.44 GB、BERT-large(3.4 億個)は 1.36 GB。16 ビットにすれば、どれも半分になります。

# %% [markdown] lang="en"
# ## Writing bits
#
# Now the other way: the bits of the number nearest to $x$.
#
# 1. The exponent is $k = \lfloor \log_2 |x| \rfloor$, but not less than $1 - \text{bias}$ (what is smaller is subnormal). For $x = 0$, too, $k = 1 - \text{bias}$.
# 2. Count $|x|$ in units of $2^{k-m}$ and round half to even: an integer $n$, with $2^m \le n \le 2^{m+1}$ for a normal number.
# 3. The bits, but for the sign, are $(k + \text{bias} - 1) \cdot 2^m + n$. The $2^m$ of the hidden 1 raise the exponent field by one, and so does a carry of the rounding.
# 4. Where $E$ reaches all ones, it is **∞** (nothing stops at the greatest number).
#
# **By hand**: 0.1 in fp16. $0.1 = 1.6 \times 2^{-4}$, so $k = -4$ and $n = \mathrm{round}(1.6 \times 1024) = \mathrm{round}(1638.4) = 1638$. The bits are $(-4 + 14) \cdot 1024 + 1638 = 11878$. Read back, that is 0.0999755859375, and not 0.1.
#
# - `math.frexp(x)` gives $(f, p)$ with $x = f \cdot 2^p$, $0.5 \le |f| < 1$ (so $k = p - 1$). Of `math.frexp(0.0)`, $p$ is 0.
# - The sign bit of $-0.0$ is 1. For NaN any pattern of NaN will do.
# - Round **once**: through fp32 first, there would be two roundings.
#
# > **Common mistake** 1 KB is 1000 B and 1 KiB is 1024 B: 1024 numbers of 8 bytes take 8 KiB, not 8 KB. Memory is **parameters × bits / 8** bytes. BERT-base (110 million) takes 0.44 GB in fp32, BERT-large (340 million) 1.36 GB; in 16 bits, each takes half.

# %% stub encode_float
"""2 進の形式で最も近い数のビット列 S E F。ちょうど中間なら、ビット列が偶数の方。

Args:
    x: float64 の数。±∞ と NaN もある。
    exponent_bits: 指数部のビット数 e、2 … 11。
    mantissa_bits: 仮数部のビット数 m、1 … 52。

Returns:
    整数 S · 2^(e+m) + E · 2^m + F。大きすぎる x は ±∞ になる。NaN は NaN を表すどのビット列でもよい。
"""

# %%
print(encode_float(0.1, 5, 10), encode_float(-2.5, 5, 10))  # 11878 49408
print(encode_float(65504.0, 5, 10), encode_float(65520.0, 5, 10))  # 31743 31744
print(encode_float(3.14159265, 8, 7), encode_float(0.1, 8, 23))  # 16457 1036831949
print([encode_float(x, 2, 2) for x in (-0.0, 0.125, 0.375)])  # [16, 0, 2]

# %% graded encode_float

# %% [markdown] lang="ja"
# **半精度での学習**。深層学習では 16 ビットで実用になります。fp16 では小さな勾配が $2^{-24}$ を下回って 0 になる(アンダーフローする)ので、損失を大きな数倍してから逆伝播し、後で割ります(**損失スケーリング**)。bf16 は範囲が広いので、ふつう要りません。
#
# > **よくある間違い** 演算性能の比較では、同じ種類の値どうしを比べます。V100(SXM2)は fp64 7.8、fp32 15.7 TFLOPS、P100(SXM2)は 5.3 と 10.6(PCIe 版の P100 は 4.7 と 9.3)で、どれも**単精度は倍精度の 2 倍**です。V100 の 125 TFLOPS は **Tensor コア**(fp16 の積、fp32 の和)の値で、fp32 の約 8 倍です。普通の fp16 演算なら約 31 TFLOPS です。
#
# ## 整数にする: 尺度とゼロ点
#
# 整数の方式では、実数 $x$ を等間隔 $s$ の格子で表します(アフィン量子化)。
#
# $$x \approx s\,(q - z), \qquad q \in \{q_{min}, \dots, q_{max}\}$$
#
# 実数の範囲 $[x_{min}, x_{max}]$ から $s$ と $z$ を決めます。
#
# $$lo = \min(x_{min}, 0),\quad hi = \max(x_{max}, 0),\qquad s = \frac{hi - lo}{q_{max} - q_{min}},\qquad z = q_{min} - \mathrm{round}\!\left(\frac{lo}{s}\right)$$
#
# - **範囲には必ず 0 を含めます**。ReLU の出力やゼロパディングの 0 は非常に多いので、そこに誤差があると出力全体が偏ります。0 は整数 $z$ ちょうどになります。
# - $z$ は $[q_{min}, q_{max}]$ に収まる整数です。空の範囲 $[0, 0]$ では $s = 1$、$z = q_{min}$ とします。
# - **対称量子化**: $[-a, a]$ と $-127, \dots, 127$ なら $z = 0$、$s = a/127$。重みによく使います。
#
# **手で計算**: $[-1, 2.5]$ を $0, \dots, 7$(3 ビット)へ。$s = 3.5 / 7 = 0.5$、$z = 0 - \mathrm{round}(-1/0.5) = 2$。
#
# ![s = 0.5、z = 2 の量子化と逆量子化](staircase.svg)
#
# > **よくある間違い**
# > - $q_{max} - q_{min} + 1$ で割る。8 ビットの整数は 256 個ですが、**間隔は 255 個**です。
# > - 「1 ビットなら重みは 0 か 1 だから、$y = ax$ は $y = 0$ か $y = x$ になる」とする。それは尺度がないときの話です。尺度を添えて $\{0, s\}$ とすれば、$a = 0.1$ も $s = 0.1$ で正確に表せます。

# %% [markdown] lang="en"
# **Training in half precision.** 16 bits are enough for deep learning in practice. In fp16 small gradients fall below $2^{-24}$ and become 0 (underflow), so the loss is multiplied by a large number before back-propagation, and the gradients divided by it later (**loss scaling**). bf16 has the range, and rarely needs it.
#
# > **Common mistake** Compare speeds like for like. A V100 (SXM2) does 7.8 TFLOPS in fp64 and 15.7 in fp32, a P100 (SXM2) 5.3 and 10.6 (for PCIe 4.7 and 9.3): **single is twice as fast as double** in each. The 125 TFLOPS of the V100 are those of its **tensor cores** (fp16 products, fp32 sums), about 8 times fp32; plain fp16 arithmetic is at about 31.
#
# ## Integers: scale and zero point
#
# Integers put the reals $x$ on a grid of even spacing $s$ (affine quantisation).
#
# $$x \approx s\,(q - z), \qquad q \in \{q_{min}, \dots, q_{max}\}$$
#
# $s$ and $z$ follow from a range $[x_{min}, x_{max}]$ of reals.
#
# $$lo = \min(x_{min}, 0),\quad hi = \max(x_{max}, 0),\qquad s = \frac{hi - lo}{q_{max} - q_{min}},\qquad z = q_{min} - \mathrm{round}\!\left(\frac{lo}{s}\right)$$
#
# - **The range always contains 0.** Zeros are very frequent (ReLU, zero padding), and an error in them would bias every output. 0 becomes the integer $z$ exactly.
# - $z$ is an integer in $[q_{min}, q_{max}]$. For the empty range $[0, 0]$ take $s = 1$, $z = q_{min}$.
# - **Symmetric quantisation**: $[-a, a]$ to $-127, \dots, 127$ has $z = 0$, $s = a/127$. It is common for weights.
#
# **By hand**: $[-1, 2.5]$ to $0, \dots, 7$ (3 bits). $s = 3.5 / 7 = 0.5$, $z = 0 - \mathrm{round}(-1/0.5) = 2$.
#
# ![Quantising and dequantising with s = 0.5, z = 2](staircase.svg)
#
# > **Common mistakes**
# > - Dividing by $q_{max} - q_{min} + 1$. There are 256 integers of 8 bits, but **255 gaps**.
# > - "With 1 bit a weight is 0 or 1, so $y = ax$ becomes $y = 0$ or $y = x$." That is so without a scale. With one, the values are $\{0, s\}$, and $s = 0.1$ gives $a = 0.1$ exactly.

# %% stub affine_parameters
"""実数の範囲が整数の範囲いっぱいになる尺度とゼロ点。

Args:
    x_min: 実数の最小値。
    x_max: 実数の最大値。
    q_min: 整数の最小値。
    q_max: 整数の最大値。

Returns:
    scale: s = (hi - lo) / (q_max - q_min)。[lo, hi] は 0 を含むように広げた範囲。それが [0, 0] なら 1。
    zero_point: z = q_min - round(lo / s)。q_min … q_max の整数で、0 の行き先。
"""

# %%
print(affine_parameters(-1.0, 2.5, 0, 7))  # (0.5, 2)
print(affine_parameters(0.5, 3.0, -128, 127))  # (0.011764705882352941, -128)
print(affine_parameters(-3.0, 3.0, -127, 127))  # (0.023622047244094488, 0): symmetric

# %% graded affine_parameters

# %% [markdown] lang="ja"
# ## 量子化
#
# 割って、丸めて、ゼロ点を足し、**最後に**範囲へ収めます(飽和)。
#
# $$q = \mathrm{clip}\bigl(\mathrm{round}(x / s) + z,\; q_{min},\; q_{max}\bigr)$$
#
# **手で計算**($s = 0.5$、$z = 2$、$0, \dots, 7$): $x = 0.6$ は $1.2 \to 1$ で $q = 3$。$x = 9$ は $18 + 2 = 20$ なので、飽和して $7$。$x = -0.75$ は $-1.5$ でちょうど中間なので偶数の $-2$ へ、$q = 0$。
#
# 範囲の中の誤差は $s/2$ 以下です。範囲を広げれば飽和は減りますが、$s$ が大きくなって丸めの誤差が増えます。
#
# 重みでは、出力チャネルごとに範囲が大きく違うことがあります。そのときは $s$ と $z$ を**チャネルごと**にもちます(形 `(1, C)`)。ブロードキャストで済むので、式は変わりません。

# %% [markdown] lang="en"
# ## Quantise
#
# Divide, round, add the zero point, and bring into the range **last** (saturation).
#
# $$q = \mathrm{clip}\bigl(\mathrm{round}(x / s) + z,\; q_{min},\; q_{max}\bigr)$$
#
# **By hand** ($s = 0.5$, $z = 2$, $0, \dots, 7$): $x = 0.6$ gives $1.2 \to 1$ and $q = 3$. $x = 9$ gives $18 + 2 = 20$, which saturates at $7$. $x = -0.75$ gives $-1.5$, half way, and goes to the even $-2$: $q = 0$.
#
# Inside the range the error is at most $s/2$. A wider range saturates less, but its $s$ is greater, and so are the errors of rounding.
#
# The channels of a weight may have very different ranges. Then each **channel** has its own $s$ and $z$, of shape `(1, C)`: broadcasting does it, and the formula stays.

# %% stub quantize
"""実数をそれぞれ整数にする。割って、偶数への丸めをし、ずらして、最後に飽和させる。

Args:
    x: 実数、(N, C)。
    scale: s > 0、一つの数か、チャネルごとに一つ、(1, C)。
    zero_point: z、一つの整数か、チャネルごとに一つ、(1, C)。
    q_min: 整数の最小値。
    q_max: 整数の最大値。

Returns:
    (N, C): clip(round(x / s) + z, q_min, q_max)、整数。
"""

# %%
print(quantize(np.array([[0.6, 9.0, -0.75, 0.0]]), 0.5, 2, 0, 7))  # [[3 7 0 2]]
scale, zero_point = np.array([[0.5, 0.01]]), np.array([[2, 0]])
print(quantize(np.array([[0.6, 0.03]]), scale, zero_point, 0, 7))  # [[3 3]]: per channel

# %% graded quantize

# %% [markdown] lang="ja"
# ## 逆量子化
#
# 先にゼロ点を**引いてから**尺度を掛けます。
#
# $$\hat{x} = s\,(q - z)$$
#
# **手で計算**: $s = 0.5$、$z = 2$、$q = 3$ なら $0.5 \times (3 - 2) = 0.5$。元が $0.6$ なら、誤差は $0.1 \le s/2 = 0.25$ です。
#
# 整数は int8 や uint8 のまま渡されます。$100 - (-100) = 200$ は int8($-128, \dots, 127$)に収まりません。**広い型に直してから**引きます。

# %% [markdown] lang="en"
# ## Dequantise
#
# **First** take the zero point off, then multiply by the scale.
#
# $$\hat{x} = s\,(q - z)$$
#
# **By hand**: with $s = 0.5$, $z = 2$, $q = 3$ it is $0.5 \times (3 - 2) = 0.5$. For $x = 0.6$ the error is $0.1 \le s/2 = 0.25$.
#
# The integers come as int8 or uint8. $100 - (-100) = 200$ does not fit in int8 ($-128, \dots, 127$): turn them into a **wider type first**.

# %% stub dequantize
"""整数がそれぞれ表す実数。

Args:
    q: 整数。型は int8、uint8 などさまざま、(N, C)。
    scale: s > 0、一つの数か、チャネルごとに一つ、(1, C)。
    zero_point: z、一つの整数か、チャネルごとに一つ、(1, C)。

Returns:
    (N, C): s (q - z)。
"""

# %%
print(dequantize(np.array([[3, 7, 0, 2]], dtype=np.uint8), 0.5, 2))  # [[ 0.5  2.5 -1.   0. ]]
print(dequantize(np.array([[100]], dtype=np.int8), 0.5, -100))  # [[100.]]

# %% graded dequantize

# %% [markdown] lang="ja"
# ## 整数だけで行列積
#
# 実数に戻してから掛けるなら、速くなりません。$(q_a - z_a)(q_b - z_b)$ を展開すると、重い計算は**整数の行列積一つ**になり、尺度は最後に 1 回だけ掛けます。
#
# $$
# \sum_k s_a(q_a - z_a)\, s_b(q_b - z_b) = s_a s_b \Bigl( \sum_k q_a q_b \;-\; z_a \sum_k q_b \;-\; z_b \sum_k q_a \;+\; K z_a z_b \Bigr)
# $$
#
# $\sum_k q_b$ は $q_b$ の列ごとの和、$\sum_k q_a$ は $q_a$ の行ごとの和です。
#
# **手で計算**: $q_a = (3, 5)$、$z_a = 2$、$s_a = 0.5$(実数では $0.5, 1.5$)と、$q_b = (4, 1)^\top$、$z_b = 1$、$s_b = 0.25$(実数では $0.75, 0$)。
#
# - 実数で: $0.5 \times 0.75 + 1.5 \times 0 = 0.375$。
# - 整数で: $17 - 2 \times 5 - 1 \times 8 + 2 \times 2 \times 1 = 3$。$3 \times 0.5 \times 0.25 = 0.375$。
#
# int8 どうしの積は最大 $128 \times 128 = 16384$ なので、和は **int32**(以上)でとります。$K < 2^{17}$ ならあふれません。

# %% [markdown] lang="en"
# ## A product of matrices in integers alone
#
# Turning both into reals first would save no time. Expand $(q_a - z_a)(q_b - z_b)$: what is left to do is **one product of integer matrices**, and the scales multiply once, at the end.
#
# $$
# \sum_k s_a(q_a - z_a)\, s_b(q_b - z_b) = s_a s_b \Bigl( \sum_k q_a q_b \;-\; z_a \sum_k q_b \;-\; z_b \sum_k q_a \;+\; K z_a z_b \Bigr)
# $$
#
# $\sum_k q_b$ are sums of the columns of $q_b$, $\sum_k q_a$ sums of the rows of $q_a$.
#
# **By hand**: $q_a = (3, 5)$, $z_a = 2$, $s_a = 0.5$ (as reals $0.5, 1.5$) and $q_b = (4, 1)^\top$, $z_b = 1$, $s_b = 0.25$ (as reals $0.75, 0$).
#
# - In reals: $0.5 \times 0.75 + 1.5 \times 0 = 0.375$.
# - In integers: $17 - 2 \times 5 - 1 \times 8 + 2 \times 2 \times 1 = 3$, and $3 \times 0.5 \times 0.25 = 0.375$.
#
# A product of two int8 is up to $128 \times 128 = 16384$, so sum in **int32** (or more). With $K < 2^{17}$ it does not overflow.

# %% stub quantized_matmul
"""量子化された二つの行列の積。和はすべて整数でとる。

Args:
    qa: int8、(M, K)。
    qb: int8、(K, N)。
    scale_a: qa の尺度。
    zero_a: qa のゼロ点。
    scale_b: qb の尺度。
    zero_b: qb のゼロ点。

Returns:
    (M, N): s_a s_b Σ_k (qa - z_a)(qb - z_b)。
"""

# %%
qa, qb = np.array([[3, 5]], dtype=np.int8), np.array([[4], [1]], dtype=np.int8)
print(quantized_matmul(qa, qb, 0.5, 2, 0.25, 1))  # [[0.375]]
big = np.full((1, 4), 127, dtype=np.int8)
print(quantized_matmul(big, big.T, 1.0, 0, 1.0, 0))  # [[64516.]]

# %% graded quantized_matmul

# %% [markdown] lang="ja"
# ## 量子化を学習に入れる
#
# 学習後に量子化すると(PTQ)、ビット数が少ないほど精度が下がります。学習中から、順伝播で「量子化 → 逆量子化」した値を使って慣れさせるのが **QAT**(量子化を考慮した学習)で、この操作を fake quantization と呼びます。
#
# 困るのは勾配です。丸めは階段なので、微分は**ほとんどどこでも 0** で、そのままでは何も学べません。そこで逆伝播では丸めを恒等関数とみなします(**ストレートスルー推定**、STE)。割る $1/s$ と掛け直す $s$ は打ち消し合います。飽和した $x$ では出力が動かないので、勾配は 0 です。
#
# $$\frac{\partial L}{\partial x} \approx \begin{cases} \dfrac{\partial L}{\partial \hat{x}} & q_{min} \le \mathrm{round}(x/s) + z \le q_{max} \\ 0 & \text{それ以外} \end{cases}$$
#
# 両端の $q_{min}$ と $q_{max}$ は「中」に入ります。
#
# **手で計算**($s = 0.5$、$z = 2$、$0, \dots, 7$): $x = (-2, 0.6, 2.6, 9)$ の $\mathrm{round}(x/s) + z$ は $(-2, 3, 7, 20)$。$dy = (1, 2, 3, 4)$ なら勾配は $(0, 2, 3, 0)$ です。

# %% [markdown] lang="en"
# ## Quantisation in training
#
# Quantising after training (PTQ) costs the more accuracy the fewer the bits. **QAT** (quantisation-aware training) lets the network get used to it: the forward pass runs on numbers that were quantised and dequantised, called fake quantisation.
#
# The gradient is the trouble. Rounding is a staircase, and its derivative is **0 nearly everywhere**: nothing would be learnt. So the backward pass takes rounding for the identity (the **straight-through estimator**, STE). The $1/s$ of dividing and the $s$ of multiplying cancel. Where $x$ is saturated, the output does not move, and the gradient is 0.
#
# $$\frac{\partial L}{\partial x} \approx \begin{cases} \dfrac{\partial L}{\partial \hat{x}} & q_{min} \le \mathrm{round}(x/s) + z \le q_{max} \\ 0 & \text{elsewhere} \end{cases}$$
#
# The ends $q_{min}$ and $q_{max}$ count as inside.
#
# **By hand** ($s = 0.5$, $z = 2$, $0, \dots, 7$): for $x = (-2, 0.6, 2.6, 9)$, $\mathrm{round}(x/s) + z$ is $(-2, 3, 7, 20)$. With $dy = (1, 2, 3, 4)$ the gradient is $(0, 2, 3, 0)$.

# %% stub fake_quantize_backward
"""ストレートスルー推定による Σ dy · dequantize(quantize(x)) の勾配。丸めは恒等関数とみなす。

Args:
    dy: 丸めた値に関する勾配、(N, C)。
    x: 実数、(N, C)。
    scale: s > 0、一つの数か、チャネルごとに一つ、(1, C)。
    zero_point: z、一つの整数か、チャネルごとに一つ、(1, C)。
    q_min: 整数の最小値。
    q_max: 整数の最大値。

Returns:
    (N, C): q_min ≤ round(x / s) + z ≤ q_max なら dy、x が飽和していれば 0。
"""

# %%
x, dy = np.array([[-2.0, 0.6, 2.6, 9.0]]), np.array([[1.0, 2.0, 3.0, 4.0]])
print(fake_quantize_backward(dy, x, 0.5, 2, 0, 7))  # [[0. 2. 3. 0.]]

# %% graded fake_quantize_backward

# %% [markdown] lang="ja"
# ## 自動微分で書く
#
# `torch.round` の勾配は 0 と決められているので、そのまま書くと `x.grad` は 0 になります。値と勾配を別々に選ぶ定石が、計算グラフから切り離す **`detach`** です。
#
# $$t + (y - t).\mathrm{detach}()$$
#
# 値は $y$、勾配は $t$ のものです。$t$ に何を選べば、飽和した $x$ の勾配が 0 になるでしょうか。`torch.autograd.Function` で逆伝播を書いてもかまいません。
#
# - 入力と同じデバイス・同じ dtype のテンソルを返します。$s$ と $z$ は定数で、勾配は要りません。
# - 値は丸めた**実数** $s(q - z)$ です。整数ではありません。

# %% [markdown] lang="en"
# ## With autograd
#
# The gradient of `torch.round` is defined as 0: written down plainly, `x.grad` is 0. Value and gradient can be chosen apart with **`detach`**, which takes a tensor out of the graph:
#
# $$t + (y - t).\mathrm{detach}()$$
#
# has the value of $y$ and the gradient of $t$. Which $t$ makes the gradient 0 where $x$ is saturated? Writing the backward pass in a `torch.autograd.Function` is as good.
#
# - Return a tensor on the device and in the dtype of the input. $s$ and $z$ are constants, without a gradient.
# - The values are rounded **reals** $s(q - z)$, not integers.

# %%
import torch

# %% stub fake_quantize_torch
"""整数が表す実数へ丸める。勾配は丸めをそのまま通り抜ける。

Args:
    x: 実数、(N, C)。
    scale: s > 0。
    zero_point: z、整数。
    q_min: 整数の最小値。
    q_max: 整数の最大値。

Returns:
    (N, C): s (clip(round(x / s) + z, q_min, q_max) - z)。デバイスと dtype は x と同じ。
"""

# %%
x = torch.tensor([[-2.0, 0.6, 2.6, 9.0]], dtype=torch.float64, requires_grad=True)
y = fake_quantize_torch(x, 0.5, 2, 0, 7)
print(y.tolist())  # [[-1.0, 0.5, 2.5, 2.5]]
y.sum().backward()
print(x.grad.tolist())  # [[0.0, 1.0, 1.0, 0.0]]

# %% graded fake_quantize_torch

# %% [markdown] lang="ja"
# ## 試験で問われること
#
# - **ビットの内訳**(符号/指数/仮数): fp64 1/11/52、fp32 1/8/23、fp16 1/5/10、bf16 1/8/7。バイアスは $2^{e-1} - 1$(1023、127、15、127)。
# - **値の式**: $(-1)^S \cdot 2^{E-127} \cdot 1.F$ は $1 \le E \le 254$ のとき。$E = 0$ は 0 と非正規化数、$E = 255$ は ∞ と NaN。
# - **fp16 と bf16**: 先にあふれるのは fp16(65504)、1 の近くで細かいのも fp16。bf16 の範囲は fp32 と同じ。
# - **メモリ**: パラメータ数 × ビット数 / 8 バイト。fp64 → fp32 で半分、fp32 → int8 で 1/4。倍精度から単精度に落としても、精度(正解率)はほとんど変わらない。
# - **尺度とゼロ点**: $s = (hi - lo)/(q_{max} - q_{min})$、$z = q_{min} - \mathrm{round}(lo/s)$。範囲に 0 を含める理由は、パディングと ReLU の 0 を正確に表すため。
# - **int8 の行列積**: 和は int32 で。展開すると項は四つで、尺度は最後に掛ける。
# - **PTQ と QAT**: 学習後に量子化するか、学習中に fake quantization を入れるか。勾配はストレートスルー推定で、飽和したところは 0。
# - **損失スケーリング**: fp16 の小さな勾配のアンダーフローを防ぐ。

# %% [markdown] lang="en"
# ## What the exam asks
#
# - **Bits** (sign/exponent/mantissa): fp64 1/11/52, fp32 1/8/23, fp16 1/5/10, bf16 1/8/7. The bias is $2^{e-1} - 1$ (1023, 127, 15, 127).
# - **The value**: $(-1)^S \cdot 2^{E-127} \cdot 1.F$ for $1 \le E \le 254$. $E = 0$ is zero and subnormals, $E = 255$ ∞ and NaN.
# - **fp16 and bf16**: fp16 overflows first (65504), and is finer near 1. bf16 has the range of fp32.
# - **Memory**: parameters × bits / 8 bytes. Half from fp64 to fp32, a quarter from fp32 to int8. From double to single, accuracy hardly changes.
# - **Scale and zero point**: $s = (hi - lo)/(q_{max} - q_{min})$, $z = q_{min} - \mathrm{round}(lo/s)$. The range contains 0 so that the zeros of padding and ReLU are exact.
# - **A product in int8**: sum in int32. It expands to four terms, and the scales come last.
# - **PTQ and QAT**: quantise after training, or train with fake quantisation. The gradient is straight-through, and 0 where saturated.
# - **Loss scaling** keeps small gradients from underflowing in fp16.
