# %% [markdown] lang="ja"
# # 物体検知: IoU、NMS、mAP
#
# **物体検知**は、画像の中の物体の**位置**(箱)と**カテゴリ**(クラス)を求める問題です。ネットワークが出すのは、たくさんの箱の候補について、クラスのスコアと箱のずれだけです。それを検知器にし、学習させ、採点する部分を、このトピックで作ります。
#
# | 型 | 手順 | 例 |
# |---|---|---|
# | **2段階** | 物体らしい候補領域を出し(1 段目)、それぞれを分類して箱を直す(2 段目) | R-CNN、SPPNet、Fast R-CNN、Faster R-CNN、R-FCN、Mask R-CNN |
# | **1段階** | 候補を出す段がなく、特徴マップのすべての位置で、クラスと箱を一度に推定する | YOLO、SSD、DetectorNet、CornerNet、RetinaNet |
#
# R-CNN から Fast R-CNN への改良は、特徴マップを 1 回だけ計算して全候補で共有したこと(RoI プーリング)です。残った遅さは候補を作る Selective Search で、Faster R-CNN はそれを、同じ特徴マップの上の小さなネットワーク **RPN**(region proposal network)に替えました。
#
# > **よくある間違い** 「2段階は精度が高いが遅く、1段階は速いが精度が低い」は試験で問われる対比ですが、法則ではありません。RetinaNet は 1段階で、登場時の 2段階の検知器を精度でも上回りました。
#
# > **よくある間違い** 「1段階は候補領域とクラスを同時に推定する」は不正確です。1段階には候補領域を出す段がありません。
#
# **約束**。箱は $(x_1, y_1, x_2, y_2)$(左上と右下の角、$x_2 \ge x_1$、$y_2 \ge y_1$)で、座標は連続値です。幅は $x_2 - x_1$ で、$+1$ はしません。スコアは高い順に並べ、等しいときは番号の小さい方を先にします。
#
# 入力の配列を書き換えないでください。計算は float64 で行います(float32 で返した値は、float32 の許容誤差で比べます)。1 回の呼び出しは 2 秒までです。

# %% [markdown] lang="en"
# # Object detection: IoU, NMS and mAP
#
# **Object detection** finds the **location** (a box) and the **category** (a class) of the objects in an image. All that a network puts out is class scores and box offsets for a great many candidates. This topic builds what turns them into a detector, trains it and scores it.
#
# | kind | steps | examples |
# |---|---|---|
# | **two-stage** | propose regions likely to hold an object (1st stage), then classify each and correct its box (2nd) | R-CNN, SPPNet, Fast R-CNN, Faster R-CNN, R-FCN, Mask R-CNN |
# | **one-stage** | no stage of proposals: classes and boxes are estimated at once at all positions of a feature map | YOLO, SSD, DetectorNet, CornerNet, RetinaNet |
#
# What Fast R-CNN improved on R-CNN is that the feature map is computed once and shared by all proposals (RoI pooling). What stayed slow was Selective Search, which makes the proposals; Faster R-CNN replaced it by a small network on the same feature map, the **RPN** (region proposal network).
#
# > **Common mistake** "Two-stage is accurate but slow, one-stage fast but less accurate" is the contrast that the exam asks for, but no law: RetinaNet is one-stage and was more accurate than the two-stage detectors of its day.
#
# > **Common mistake** "One-stage detectors estimate region proposals and classes at the same time" is loose: they have no stage of proposals.
#
# **Rules.** A box is $(x_1, y_1, x_2, y_2)$ (upper left and lower right corner, $x_2 \ge x_1$, $y_2 \ge y_1$) in continuous coordinates. Its width is $x_2 - x_1$, with no $+1$. Scores are sorted falling, and of equal ones the lower index comes first.
#
# Leave the arrays that you are given unchanged. Compute in float64 (what comes back in float32 is compared within the tolerance of float32). A call may take 2 seconds.

# %%
import numpy as np
from autograder import check

# %% [markdown] lang="ja"
# # 前半: 箱
#
# ## IoU
#
# 二つの箱がどれだけ一致しているかは、**IoU**(intersection over union)で測ります。面積を $A$、$B$、共通部分の面積を $I$ として、
#
# $$\mathrm{IoU} = \frac{I}{A + B - I}$$
#
# 共通部分の幅は $\min(a_{x2}, b_{x2}) - \max(a_{x1}, b_{x1})$ ですが、負なら 0 とします。高さも同様です。
#
# ![8×5 の箱を (3, 2) ずらした二つの箱](overlap.svg)
#
# **例**。$8 \times 5$ の箱を $(3, 2)$ ずらすと、共通部分は $5 \times 3 = 15$、和集合は $40 + 40 - 15 = 65$ なので、$\mathrm{IoU} = 15/65 \approx 0.231$ です。半分以上が重なって見えても、IoU は意外に小さくなります。
#
# 接するだけの箱は 0、面積 0 の箱どうしも 0 とします。

# %% [markdown] lang="en"
# # First half: boxes
#
# ## IoU
#
# How well two boxes agree is measured by the **IoU** (intersection over union). With the areas $A$, $B$ and the common area $I$,
#
# $$\mathrm{IoU} = \frac{I}{A + B - I}$$
#
# The common part is $\min(a_{x2}, b_{x2}) - \max(a_{x1}, b_{x1})$ wide, or 0 if that is negative; likewise its height.
#
# ![Two boxes of 8×5, shifted by (3, 2)](overlap.svg)
#
# **Example.** For a box of $8 \times 5$ and its copy shifted by $(3, 2)$ the common part is $5 \times 3 = 15$ and the union $40 + 40 - 15 = 65$, so $\mathrm{IoU} = 15/65 \approx 0.231$: less than the eye expects.
#
# Boxes that only touch have 0, and so have two boxes of area 0.

# %% stub iou
"""二つの箱の IoU。

Args:
    a: 箱、(4,)。
    b: もう一つの箱、(4,)。

Returns:
    共通部分の面積 ÷ 少なくとも一方に覆われる面積。どちらにも面積がなければ 0。
"""

# %%
iou([0, 0, 8, 5], [3, 2, 11, 7]), iou([0, 0, 4, 4], [4, 0, 8, 4])
# (0.23076923076923078, 0.0)

# %% graded iou

# %% [markdown] lang="ja"
# ## すべての組の IoU
#
# 検知器では何千もの箱を比べるので、すべての組を一度に計算します。`a[:, None]` は (N, 1, 4)、`b[None]` は (1, M, 4) なので、`np.maximum` はブロードキャストで (N, M, …) になります。
#
# **例**。縦にも横にも離れた箱では、幅も高さも負です。$(-1) \times (-2) = 2$ を面積としないよう、掛ける**前に** 0 で切ります。

# %% [markdown] lang="en"
# ## IoU of all pairs
#
# A detector compares thousands of boxes, so all pairs are computed at once. `a[:, None]` is (N, 1, 4) and `b[None]` is (1, M, 4); by broadcasting, `np.maximum` of them is (N, M, …).
#
# **Example.** For boxes apart on both axes, width and height are both negative. Lest $(-1) \times (-2) = 2$ pass for an area, clamp at 0 **before** the product.

# %% stub iou_matrix
"""a のすべての箱と b のすべての箱の IoU。

Args:
    a: 箱、(N, 4)。
    b: 箱、(M, 4)。

Returns:
    (N, M): (i, j) 成分は a[i] と b[j] の IoU。
"""

# %%
boxes = np.array([[0.0, 0, 4, 4], [1, 1, 5, 5], [6, 6, 8, 9]])
iou_matrix(boxes, boxes)
# array([[1., 0.39130435, 0.], [0.39130435, 1., 0.], [0., 0., 1.]])

# %% graded iou_matrix

# %% [markdown] lang="ja"
# ## NMS(非極大値抑制)
#
# 一つの物体には、たいてい多くの箱が重なって検出されます。**NMS**(non-maximum suppression)は、クラスごとに、最も良い箱だけを残します。
#
# 1. 残っている候補のうち、スコアが最高の箱を取り、「残す箱」に加える。
# 2. その箱との IoU がしきい値**より大きい**候補を消す(ちょうど等しければ残る)。
# 3. 候補がなくなるまで繰り返す。
#
# ![消された箱は、次の箱を消さない](chain.svg)
#
# **例**。スコア 0.9、0.8、0.7 の箱が並び、隣どうしの IoU が 0.5、両端の IoU が 0.2、しきい値が 0.4 なら、0.8 は 0.9 に消されます。0.7 と強く重なるのは、消された 0.8 だけなので、0.7 は残ります。
#
# 返すのは、残した箱の番号(整数の配列やリスト)で、スコアの高い順です。

# %% [markdown] lang="en"
# ## NMS
#
# One object is usually found by many overlapping boxes. **Non-maximum suppression** keeps, class by class, the best of them.
#
# 1. Take the box of highest score among the candidates left, and keep it.
# 2. Drop the candidates whose IoU with it is **greater** than the threshold (an equal one stays).
# 3. Repeat until no candidate is left.
#
# ![A box that was suppressed does not suppress the next](chain.svg)
#
# **Example.** Boxes of scores 0.9, 0.8, 0.7 in a row, IoU 0.5 between neighbours and 0.2 between the ends, threshold 0.4: 0.9 drops 0.8. Only the dropped 0.8 overlaps 0.7 much, so 0.7 stays.
#
# Return the indices of the kept boxes (an array or list of integers) in falling score.

# %% stub nms
"""非極大値抑制(1 クラス分)。大きく重なる箱のうち、最も良いものが残る。

Args:
    boxes: 候補の箱、(N, 4)。
    scores: 箱のスコア、(N,)。
    threshold: 残した、よりスコアの高い箱との IoU が、これより大きい箱を消す。

Returns:
    (K,): 残した箱の番号。スコアの高い順。
"""

# %%
list(map(int, nms(boxes, np.array([0.6, 0.9, 0.3]), 0.3)))
# [1, 2]

# %% graded nms

# %% [markdown] lang="ja"
# ## 箱の符号化
#
# 何もない所から箱の座標を当てるのは難しいので、検知器は、あらかじめ置いた箱(Faster R-CNN の**アンカー**、SSD の**デフォルトボックス**。ここでは「事前の箱」)からの**ずれ**を出力します。中心を $c$、大きさ(幅、高さ)を $\mathrm{size}$、事前の箱を $p$ とすると、
#
# $$o_{xy} = \frac{c - c_p}{\mathrm{size}_p\, v_0}, \qquad o_{wh} = \frac{\ln(\mathrm{size} / \mathrm{size}_p)}{v_1}$$
#
# ずれを**事前の箱の**大きさで割るので、大きい箱も小さい箱も同じ尺度になります。大きさは対数にするので、2 倍と 1/2 倍が $\pm\ln 2$ と対称になり、復号した幅が負になることもありません。$v = (0.1, 0.2)$ は SSD の実装で「分散」と呼ばれる定数で、符号を**割り**ます。並びは x, y, w, h です。
#
# ![一つの位置のデフォルトボックスと、正解の箱の符号](priors.svg)
#
# **例**。事前の箱 $(0, 0, 4, 4)$、正解 $(1, 1, 5, 9)$ では、中心は $(2, 2)$ と $(3, 5)$、大きさは $4 \times 4$ と $4 \times 8$。符号は $\left(\tfrac{1}{4 \cdot 0.1}, \tfrac{3}{4 \cdot 0.1}, \tfrac{\ln 1}{0.2}, \tfrac{\ln 2}{0.2}\right) = (2.5, 7.5, 0, 3.466)$ です。

# %% [markdown] lang="en"
# ## Encoding boxes
#
# Coordinates are hard to guess from nothing, so a detector puts out **offsets** from boxes laid out beforehand ("priors": the **anchors** of Faster R-CNN, the **default boxes** of SSD). With the centre $c$, the size (width, height) and the prior $p$,
#
# $$o_{xy} = \frac{c - c_p}{\mathrm{size}_p\, v_0}, \qquad o_{wh} = \frac{\ln(\mathrm{size} / \mathrm{size}_p)}{v_1}$$
#
# Offsets are divided by the size **of the prior**, so large and small boxes have one measure. Sizes enter as logarithms: twice and half as wide become $\pm\ln 2$, and no decoded width is negative. $v = (0.1, 0.2)$ are the constants called "variances" in SSD's code; they **divide** the code. Its order is x, y, w, h.
#
# ![The default boxes of one position, and the code of a truth](priors.svg)
#
# **Example.** Prior $(0, 0, 4, 4)$, truth $(1, 1, 5, 9)$: centres $(2, 2)$ and $(3, 5)$, sizes $4 \times 4$ and $4 \times 8$. The code is $\left(\tfrac{1}{4 \cdot 0.1}, \tfrac{3}{4 \cdot 0.1}, \tfrac{\ln 1}{0.2}, \tfrac{\ln 2}{0.2}\right) = (2.5, 7.5, 0, 3.466)$.

# %% stub encode_boxes
"""ネットワークが学習すべき出力: 事前の箱に対する、正解の箱の符号。

Args:
    truth: 正解の箱(辺は正)、(N, 4)。
    prior: それぞれのアンカーまたはデフォルトボックス、(N, 4)。
    var: ずれと対数を割る数。

Returns:
    (N, 4): ((c - c_p) / size_p / var₀, ln(size / size_p) / var₁)。順序は x, y, w, h。
"""

# %%
encode_boxes(np.array([[1.0, 1, 5, 9]]), np.array([[0.0, 0, 4, 4]]))
# array([[2.5, 7.5, 0., 3.4657359]])

# %% graded encode_boxes

# %% [markdown] lang="ja"
# 推論のときは、ネットワークの出力から箱に戻します(**復号**)。割った数は掛け、対数は指数で戻します。
#
# $$c = c_p + o_{xy}\, v_0\, \mathrm{size}_p, \qquad \mathrm{size} = \mathrm{size}_p\, e^{o_{wh} v_1}$$
#
# 求まるのは**中心**と大きさなので、最後に角 $c \pm \mathrm{size}/2$ に直します。画像の外へはみ出しても切りません。
#
# **例**。上の事前の箱と符号 $(2.5, 7.5, 0, 3.466)$ では、中心は $2 + 2.5 \cdot 0.1 \cdot 4 = 3$ と $2 + 7.5 \cdot 0.1 \cdot 4 = 5$、大きさは $4$ と $4e^{0.693} = 8$ で、$(1, 1, 5, 9)$ に戻ります。

# %% [markdown] lang="en"
# At prediction the output is turned back into boxes (**decoding**): what divided now multiplies, and the exponential undoes the logarithm.
#
# $$c = c_p + o_{xy}\, v_0\, \mathrm{size}_p, \qquad \mathrm{size} = \mathrm{size}_p\, e^{o_{wh} v_1}$$
#
# These are the **centre** and the size; the corners are $c \pm \mathrm{size}/2$. Nothing is clipped to the image.
#
# **Example.** With the prior above and the code $(2.5, 7.5, 0, 3.466)$ the centre is at $2 + 2.5 \cdot 0.1 \cdot 4 = 3$ and $2 + 7.5 \cdot 0.1 \cdot 4 = 5$, the size is $4$ and $4e^{0.693} = 8$: the box $(1, 1, 5, 9)$ again.

# %% stub decode_boxes
"""符号が表す箱。符号化の逆で、画像の範囲には切らない。

Args:
    code: ずれと大きさの対数、順序は x, y, w, h、(N, 4)。
    prior: それぞれのアンカーまたはデフォルトボックス、(N, 4)。
    var: 符号化で割った数。

Returns:
    (N, 4): 箱。c = c_p + o·var₀·size_p、size = size_p·exp(o·var₁)。
"""

# %%
decode_boxes(np.array([[1.0, -2, 1, -1]]), np.array([[0.0, 0, 4, 4]])).round(3)
# array([[-0.043, -0.437, 4.843, 2.837]])

# %% graded decode_boxes

# %% [markdown] lang="ja"
# ## デフォルトボックスの大きさ
#
# SSD の特徴は、**大きさの異なる複数の特徴マップ**で検出することです。細かいマップは小さな物体を、粗いマップは大きな物体を受け持ちます。$m$ 枚のうち $k$ 枚目($k = 1, \dots, m$)のスケールは
#
# $$s_k = s_{\min} + (s_{\max} - s_{\min})\,\frac{k - 1}{m - 1}$$
#
# で、縦横比 $a = w/h$ の箱は $w = s_k\sqrt a$、$h = s_k/\sqrt a$ です。面積は $s_k^2$ で、比を変えても同じです。最後に、次のスケールとの間の正方形(一辺 $\sqrt{s_k s_{k+1}}$)を加えます($k = m$ でも、式どおりに $s_{m+1}$ を求めます)。
#
# **例**。$k = 1$、$m = 6$ では $s_1 = 0.2$、$s_2 = 0.34$。比 2 の箱は $0.283 \times 0.141$、最後の正方形の一辺は $\sqrt{0.2 \cdot 0.34} = 0.261$ です。
#
# SSD300 の箱の数は、1 辺 38, 19, 10, 5, 3, 1 のマップに 4, 6, 6, 6, 4, 4 個ずつで、$38^2 \cdot 4 + 19^2 \cdot 6 + \dots + 1 \cdot 4 = 8732$ です。一つのマップの出力は $f^2 \cdot n \cdot (c + 4)$ 個で、クラス数 $c$ は**背景を含みます**(VOC なら 21)。
#
# > **よくある間違い** 「SSD は回帰だけの手法」ではありません。デフォルトボックスごとに、背景を含むクラスの**分類**(ソフトマックス)と、箱のずれの**回帰**(smooth L1)の両方を行います。

# %% [markdown] lang="en"
# ## Sizes of the default boxes
#
# The mark of SSD is that it detects on **several feature maps of different size**: fine maps are for small objects, coarse ones for large. The $k$-th of $m$ maps ($k = 1, \dots, m$) has the scale
#
# $$s_k = s_{\min} + (s_{\max} - s_{\min})\,\frac{k - 1}{m - 1}$$
#
# and a box of aspect ratio $a = w/h$ is $w = s_k\sqrt a$, $h = s_k/\sqrt a$: its area is $s_k^2$ for every ratio. Last comes a square between this scale and the next, of side $\sqrt{s_k s_{k+1}}$ (for $k = m$, too, take $s_{m+1}$ from the formula).
#
# **Example.** For $k = 1$, $m = 6$: $s_1 = 0.2$, $s_2 = 0.34$. The box of ratio 2 is $0.283 \times 0.141$, and the last square has the side $\sqrt{0.2 \cdot 0.34} = 0.261$.
#
# SSD300 has maps of side 38, 19, 10, 5, 3, 1 with 4, 6, 6, 6, 4, 4 boxes a position: $38^2 \cdot 4 + 19^2 \cdot 6 + \dots + 1 \cdot 4 = 8732$ in all. A map puts out $f^2 \cdot n \cdot (c + 4)$ numbers, where the $c$ classes **include the background** (21 for VOC).
#
# > **Common mistake** SSD is not "a regression": for each default box it does both, **classification** (softmax over the classes and the background) and **regression** of the offsets (smooth L1).

# %% stub default_boxes
"""m 枚の特徴マップのうち k 枚目の、一つの位置に置くデフォルトボックスの大きさ。

Args:
    k: 何枚目か、1(最も細かい)… m。
    m: マップの枚数、2 以上。
    ratios: 縦横比 w/h の並び。
    s_min: 最初のマップのスケール。
    s_max: 最後のマップのスケール。

Returns:
    (R, 2): 画像に対する幅と高さ。比ごとに 1 行、最後に一辺 √(s_k s_{k+1}) の正方形。
"""

# %%
default_boxes(1, 6, [1.0, 2.0, 0.5]).round(3)
# array([[0.2, 0.2], [0.283, 0.141], [0.141, 0.283], [0.261, 0.261]])

# %% graded default_boxes

# %% [markdown] lang="ja"
# ## RPN と YOLO の箱
#
# Faster R-CNN の **RPN** は、特徴マップの各位置に、3 つの大きさ × 3 つの縦横比 = $k = 9$ 個のアンカーを置きます。出力は位置ごとに、物体か背景かの 2k = 18 個のスコアと、4k = 36 個の座標です。$60 \times 40$ のマップなら、アンカーは $21600$ 個です。学習では、IoU が 0.7 を超えるものと各正解の最良のものを正例、すべての正解と 0.3 未満のものを負例とし、残りは使いません。
#
# **YOLO** は画像を $S \times S$ のセルに分け、各セルが箱とクラスを直接出します。初代(v1)の出力は $S \cdot S \cdot (B \cdot 5 + C)$ で、$S = 7$、$B = 2$、$C = 20$ なら 1470 個です。5 は箱の 4 個の数と**信頼度** $\Pr(\text{物体}) \times \mathrm{IoU}$ です(背景のクラスはありません)。
# 正解の物体の**中心が入るセル**が、その物体を担当します。中心が $(x, y)$(画像を 1 とする)なら、セルは $(\lfloor Sx \rfloor, \lfloor Sy \rfloor)$、目標はセルの中の位置 $Sx - \lfloor Sx \rfloor$ です。$w$ と $h$ は画像に対する比です(損失では $\sqrt w$、$\sqrt h$ を使います)。
#
# v2 からは、アンカーごとにクラスを出し、$S \cdot S \cdot B \cdot (5 + C)$($13 \cdot 13 \cdot 5 \cdot 25 = 21125$)になります。箱は $b_x = \sigma(t_x) + c_x$、$b_w = p_w e^{t_w}$ で、シグモイドのおかげで中心はセルの外に出ません。
#
# > **よくある間違い** 「YOLO ではグリッドのセルごとに一つのクラス」は v1 だけの話です。v2 からは、アンカーごとにクラスがあります。

# %% [markdown] lang="en"
# ## The boxes of the RPN and of YOLO
#
# The **RPN** of Faster R-CNN lays 3 sizes × 3 aspect ratios = $k = 9$ anchors at each position of the feature map. A position puts out 2k = 18 scores (object or background) and 4k = 36 coordinates. A map of $60 \times 40$ has $21600$ anchors. In training, those of IoU above 0.7 and the best of each truth are positives, those below 0.3 with every truth negatives, and the rest is ignored.
#
# **YOLO** divides the image into $S \times S$ cells, each of which puts out boxes and classes directly. The first version puts out $S \cdot S \cdot (B \cdot 5 + C)$ numbers: 1470 for $S = 7$, $B = 2$, $C = 20$. The 5 are the four of the box and a **confidence** $\Pr(\text{object}) \times \mathrm{IoU}$ (there is no background class).
# The **cell that holds the centre** of an object is responsible for it. For a centre $(x, y)$ in units of the image it is $(\lfloor Sx \rfloor, \lfloor Sy \rfloor)$, and the target is the place within the cell, $Sx - \lfloor Sx \rfloor$; $w$ and $h$ are shares of the image (the loss takes $\sqrt w$, $\sqrt h$).
#
# From v2 on every anchor has classes of its own: $S \cdot S \cdot B \cdot (5 + C)$, $13 \cdot 13 \cdot 5 \cdot 25 = 21125$. A box is $b_x = \sigma(t_x) + c_x$, $b_w = p_w e^{t_w}$; the sigmoid keeps the centre in its cell.
#
# > **Common mistake** "YOLO has one class a grid cell" holds for v1 only. From v2 on each anchor has its classes.

# %% [markdown] lang="ja"
# # 後半: 学習と採点
#
# ## 正例の割り当て
#
# 学習では、どのデフォルトボックスがどの正解を担当するかを決めます(SSD の方法)。
#
# 1. すべての組(箱、正解)を IoU の大きい順に見て、箱も正解もまだ空いていれば対応させる。IoU > 0 の組だけで、箱も正解も 1 回ずつ。この結果は最終的で、変わらない。
# 2. 残った箱は、最も重なる正解との IoU がしきい値**より大きければ**、その正解に対応させる。
# 3. それ以外は背景(−1)。
#
# 手順 1 があるので、しきい値に届かない小さな物体にも箱が割り当てられます。手順 2 があるので、一つの正解を複数の箱が学習します。
#
# **例**(二つの正解が同じ箱を最良とするとき)。
#
# | IoU | 正解 0 | 正解 1 |
# |---|---|---|
# | 箱 0 | **0.9** | 0.8 |
# | 箱 1 | 0.6 | **0.4** |
# | 箱 2 | 0.3 | 0 |
#
# まず 0.9 で箱 0 と正解 0。0.8 と 0.6 は片方が埋まっているので、次は 0.4 で箱 1 と正解 1。しきい値 0.5 を超えていなくても、また箱 1 は正解 0 との方がよく重なっていても、これで決まりです。箱 2 は 0.3 なので背景。結果は $(0, 1, -1)$ です。「正解ごとに argmax」では、正解のどちらかが箱を失います。

# %% [markdown] lang="en"
# # Second half: training and scores
#
# ## Choosing the positives
#
# Training needs to know which default box is responsible for which truth (as SSD does it).
#
# 1. Go through all pairs (box, truth) in falling IoU and take a pair if its box and its truth are both free: only IoU > 0, each box and each truth once. What is settled here is final.
# 2. A box left over takes the truth that it overlaps most, if their IoU is **greater** than the threshold.
# 3. All others are background (−1).
#
# Step 1 gives even a small object a box that stays below the threshold. Step 2 lets several boxes learn one truth.
#
# **Example** (two truths prefer the same box).
#
# | IoU | truth 0 | truth 1 |
# |---|---|---|
# | box 0 | **0.9** | 0.8 |
# | box 1 | 0.6 | **0.4** |
# | box 2 | 0.3 | 0 |
#
# First 0.9: box 0 and truth 0. Of 0.8 and 0.6 one side is taken, so next 0.4: box 1 and truth 1. That stands, although it is not above the threshold 0.5 and box 1 overlaps truth 0 more. Box 2, at 0.3, is background: $(0, 1, -1)$. With "the argmax for each truth" one of the truths would lose its box.

# %% stub match_default_boxes
"""どのデフォルトボックスが正例で、どの正解に対応するか。

初めに、IoU の大きい組から順に、箱も正解も 1 回ずつ対応させる(IoU > 0 のみ)。次に、残った箱は、最良の正解との IoU がしきい値より大きければ、それに対応する。

Args:
    priors: デフォルトボックス、(P, 4)。
    truths: 画像の中の正解の箱、(T, 4)。T は 0 でもよい。
    threshold: 2 番目の手順で使う。

Returns:
    (P,): 正解の番号(整数)。背景は -1。
"""

# %%
priors = np.array(
    [[0.0, 0, 4, 4], [1, 0, 5, 4], [4, 0, 8, 4], [4, 4, 8, 8], [0, 1, 5, 4]]
)
truths = np.array([[0.0, 0, 5, 4], [4.5, 4.5, 6.5, 6.5], [0.5, 0, 4.5, 4]])
match_default_boxes(priors, truths)
# array([ 0,  2, -1,  1,  0])

# %% graded match_default_boxes

# %% [markdown] lang="ja"
# ## ハードネガティブ
#
# 8732 個の箱の大部分は背景です。全部を損失に入れると、簡単な背景の損失が大部分を占めてしまいます。SSD では、分類の損失が**大きい**(間違えやすい)負例だけを、正例の **3 倍まで**使います(hard negative mining)。正例がなければ何も選びません(損失は 0)。
#
# **例**。損失が $(0.2, 3.0, 0.9, 0.1, 2.0, 0.9, 0.7, 1.5)$ で番号 1 だけが正例なら、負例を 3 個選びます。大きい順に 4 番(2.0)、7 番(1.5)、2 番と 5 番(0.9)。同じ値なら番号の小さい 2 番です。正例の 3.0 は順位に入れません。
#
# 負例に偏る問題へのもう一つの答えが、RetinaNet の **focal loss**(簡単な例の損失を小さくする)です。RPN では、1 枚の画像から 256 個のアンカーを、正例と負例が 1:1 までになるように選びます。
#
# 返すのは bool の配列で、選んだ負例だけが True です(正例は損失に別に加えるので、含めません)。

# %% [markdown] lang="en"
# ## Hard negatives
#
# Most of the 8732 boxes are background. If all entered the loss, that of the easy background would make up most of it. SSD takes only the negatives of **highest** classification loss (those mistaken most), **at most 3** for each positive (hard negative mining). With no positives none is picked (the loss is 0).
#
# **Example.** Losses $(0.2, 3.0, 0.9, 0.1, 2.0, 0.9, 0.7, 1.5)$, number 1 the only positive: three negatives. In falling order they are 4 (2.0), 7 (1.5), then 2 and 5 (0.9), of which the lower index, 2, is taken. The positive's 3.0 has no rank.
#
# Another answer to so much background is RetinaNet's **focal loss**, which makes the loss of easy examples small. The RPN samples 256 anchors of an image, up to 1:1 positives and negatives.
#
# Return a boolean array, True for the picked negatives alone (the positives enter the loss anyway).

# %% stub hard_negatives
"""1 枚の画像で、損失に入れる背景の箱: 最も間違えやすいもの。

Args:
    loss: 各デフォルトボックスの分類の損失、(P,)。
    positive: 正解に対応した箱なら True、(P,)。
    ratio: 正例 1 個につき、多くてこの数の負例を選ぶ。

Returns:
    (P,): 損失の大きい順に min(ratio · 正例の数, 負例の数) 個の負例が True。同じ損失なら番号の小さい方。
"""

# %%
loss = np.array([0.2, 3.0, 0.9, 0.1, 2.0, 0.9, 0.7, 1.5])
np.flatnonzero(hard_negatives(loss, np.arange(8) == 1))
# array([2, 4, 7])

# %% graded hard_negatives

# %% [markdown] lang="ja"
# ## 検出の採点: 真か偽か
#
# 採点では、検出ごとに真陽性(TP)か偽陽性(FP)かを決めます。PASCAL VOC の規則はこうです。
#
# - スコアの高い検出から順に見る。
# - 各検出は、**IoU が最大の正解だけ**を見る(同じなら番号の小さい正解)。
# - その IoU がしきい値**以上**で、その正解がまだ使われていなければ TP。使われていれば FP で、次の正解は試さない(COCO は試します)。
#
# 一つの物体を 2 回検出すると、2 回目は FP になります。NMS が必要な理由です。
#
# **例**。正解が $(0, 0, 4, 4.5)$ と $(6, 6, 8, 8)$、検出が $(0, 0, 4, 4)$(0.6)、$(1, 1, 5, 5)$(0.9)、$(6, 6, 8, 9)$(0.3)のとき、IoU は順に 0.89、0.44、0.67 です。しきい値 0.5 では、0.9 の検出は FP、ほかは TP。結果は**入力の順**に $(\mathrm{True}, \mathrm{False}, \mathrm{True})$ です。

# %% [markdown] lang="en"
# ## Scoring detections: true or false
#
# A detection is a true positive (TP) or a false positive (FP). The rule of PASCAL VOC:
#
# - Go through the detections in falling score.
# - Each looks **only at the truth of its highest IoU** (of equal ones, the lower index).
# - It is a TP if that IoU is **at least** the threshold and the truth is not taken. If it is taken, the detection is an FP and does not try the next truth (COCO's would).
#
# An object found twice costs an FP; that is what NMS is for.
#
# **Example.** Truths $(0, 0, 4, 4.5)$ and $(6, 6, 8, 8)$; detections $(0, 0, 4, 4)$ (0.6), $(1, 1, 5, 5)$ (0.9), $(6, 6, 8, 9)$ (0.3). Their IoUs are 0.89, 0.44 and 0.67. At the threshold 0.5 the detection of score 0.9 is an FP, the others are TPs. **In the order of the input**: $(\mathrm{True}, \mathrm{False}, \mathrm{True})$.

# %% stub match_detections
"""1 枚の画像、1 クラスの検出のうち、真陽性はどれか。

Args:
    boxes: 検出した箱、(N, 4)。
    scores: 検出のスコア、(N,)。
    truths: 正解の箱、(T, 4)。T は 0 でもよい。
    threshold: この IoU 以上なら十分とみなす。

Returns:
    (N,): スコアの高い順に、IoU が最大の正解だけを見て、IoU がしきい値以上で、その正解が空いていれば True(bool)。
        入力の順に返す。
"""

# %%
objects = np.array([[0, 0, 4, 4.5], [6, 6, 8, 8]])
match_detections(boxes, np.array([0.6, 0.9, 0.3]), objects)
# array([ True, False,  True])

# %% graded match_detections

# %% [markdown] lang="ja"
# ## 適合率と再現率
#
# スコアのしきい値を下げると検出は増え、見逃しは減りますが、誤りは増えます。スコアの高い順に $k$ 個を採ったとき、
#
# $$\text{適合率(precision)} = \frac{\mathrm{TP}_k}{k}, \qquad \text{再現率(recall)} = \frac{\mathrm{TP}_k}{\text{正解の総数}}$$
#
# です。**例**。順位が ✓✗✓✓✗ で正解が 4 個なら、適合率は $1, \tfrac12, \tfrac23, \tfrac34, \tfrac35$、再現率は $\tfrac14, \tfrac14, \tfrac24, \tfrac34, \tfrac34$ です。検出していない 1 個があるので、再現率は 1 になりません。

# %% [markdown] lang="en"
# ## Precision and recall
#
# A lower bar for the score gives more detections: fewer objects are missed, more detections are wrong. For the $k$ best scores,
#
# $$\text{precision} = \frac{\mathrm{TP}_k}{k}, \qquad \text{recall} = \frac{\mathrm{TP}_k}{\text{number of truths}}$$
#
# **Example.** For the ranking ✓✗✓✓✗ and 4 truths, precision is $1, \tfrac12, \tfrac23, \tfrac34, \tfrac35$ and recall $\tfrac14, \tfrac14, \tfrac24, \tfrac34, \tfrac34$. One truth was never found, so recall does not reach 1.

# %% stub precision_recall
"""スコアの高い順に 1, 2, …, N 個の検出を採ったときの、適合率と再現率。

Args:
    scores: 検出のスコア、(N,)。
    tp: 真陽性なら True、(N,)。
    n_truth: 正解の総数、1 以上。

Returns:
    precision: スコアの高い順に、それまでの真陽性 ÷ それまでの検出、(N,)。
    recall: それまでの真陽性 ÷ n_truth、(N,)。
"""

# %%
tp = np.array([True, False, True, True, False])
precision, recall = precision_recall(np.array([0.9, 0.8, 0.7, 0.6, 0.5]), tp, 4)
precision.round(3), recall
# (array([1., 0.5, 0.667, 0.75, 0.6]), array([0.25, 0.25, 0.5, 0.75, 0.75]))

# %% graded precision_recall

# %% [markdown] lang="ja"
# ## AP
#
# **AP**(average precision)は、適合率–再現率曲線を一つの数にまとめます。曲線はのこぎり状なので、まず**包絡線**「その再現率**以上**での最大の適合率」に直します。
#
# $$p_{\mathrm{env}}(r) = \max_{r' \ge r} p(r')$$
#
# ![適合率と再現率の階段](staircase.svg)
#
# - `points=0`(VOC 2010 以降): 包絡線の下の**面積**。階段なので、再現率の増分 × 高さの和です。
# - `points=11`(VOC 2007)、`points=101`(COCO): 再現率 $0, \tfrac{1}{\text{points}-1}, \dots, 1$ での高さの平均(届かない所は 0)。**0 も 1 も含みます**。
#
# **例**。✓✗✓✓✗、正解 4 個なら、包絡線の高さは 1、0.75、0.75 なので、面積は $0.25 \times (1 + 0.75 + 0.75) = 0.625$。11 点では、再現率 0, 0.1, 0.2 で 1、0.3 から 0.7 の 5 点で 0.75、0.8 から先は 0 なので、$(3 + 3.75)/11 = 0.614$ です。
#
# 検出が一つもない(長さ 0)ときの AP は 0 です。

# %% [markdown] lang="en"
# ## AP
#
# **Average precision** makes one number of the precision–recall curve. The curve looks like a saw, so it is first replaced by its **envelope**, the largest precision at this recall **or more**:
#
# $$p_{\mathrm{env}}(r) = \max_{r' \ge r} p(r')$$
#
# ![The staircase of precision over recall](staircase.svg)
#
# - `points=0` (VOC since 2010): the **area** under the envelope; as it is a staircase, the sum of steps in recall × height.
# - `points=11` (VOC 2007), `points=101` (COCO): the mean height at the recalls $0, \tfrac{1}{\text{points}-1}, \dots, 1$ (0 where none is reached). **Both 0 and 1 are among them.**
#
# **Example.** For ✓✗✓✓✗ and 4 truths the envelope has the heights 1, 0.75, 0.75, the area is $0.25 \times (1 + 0.75 + 0.75) = 0.625$. With 11 points: 1 at the recalls 0, 0.1, 0.2, then 0.75 at the five from 0.3 to 0.7, and 0 from 0.8 on: $(3 + 3.75)/11 = 0.614$.
#
# Without any detection (length 0) AP is 0.

# %% stub average_precision
"""平均適合率: 曲線の包絡線(その再現率以上での最大の適合率)を、再現率について平均したもの。

Args:
    precision: 順位 1 … N での適合率、(N,)。
    recall: 同じ順位での再現率(減らない)、(N,)。
    points: 0 なら包絡線の下の面積(VOC 2010)。そうでなければ、0 から 1 まで等間隔の再現率の数(11: VOC 2007、101: COCO)。

Returns:
    包絡線の高さの平均。最後の再現率より先の高さは 0 で、検出がなければ 0。
"""

# %%
average_precision(precision, recall), round(average_precision(precision, recall, 11), 4)
# (0.625, 0.6136)

# %% graded average_precision

# %% [markdown] lang="ja"
# ## mAP
#
# **mAP** は、クラスごとの AP の**単純な平均**です。
#
# - 各クラスで、**全画像**の検出をスコアの順に並べる(TP か FP かは、画像とクラスごとに `match_detections` で決めてある)。
# - 正解があるのに検出のないクラスの AP は 0 で、平均に**入る**。
# - 正解のないクラスは再現率が定義できないので、平均に**入れない**。
# - 物体の数で重みを付けない。
#
# **例**。3 クラスの AP が 0.5、0.8 で、3 番目は正解があるのに一度も検出されなければ、mAP は $(0.5 + 0.8 + 0)/3 = 0.433$。3 番目に正解がなければ $(0.5 + 0.8)/2 = 0.65$ です。
#
# COCO の mAP は、さらに IoU のしきい値 $0.50, 0.55, \dots, 0.95$ の 10 通りについても平均します。

# %% [markdown] lang="en"
# ## mAP
#
# **mAP** is the **plain mean** of the AP over classes.
#
# - A class ranks its detections of **all images** (each is TP or FP already, by `match_detections` for its image and class).
# - A class with truths but no detection has AP 0 and **counts**.
# - A class without truths has no recall and does **not** count.
# - The numbers of objects are no weights.
#
# **Example.** Three classes, APs 0.5 and 0.8, and a third that has truths but was never detected: $(0.5 + 0.8 + 0)/3 = 0.433$. If the third has no truths: $(0.5 + 0.8)/2 = 0.65$.
#
# COCO's mAP is the mean over the ten IoU thresholds $0.50, 0.55, \dots, 0.95$ as well.

# %% stub mean_average_precision
"""全画像の検出から求めたクラスごとの AP と、その単純な平均。

Args:
    scores: 検出のスコア、(N,)。
    tp: 真陽性なら True、(N,)。
    labels: 検出のクラス 0 … K-1、(N,)。
    n_truth: クラスごとの正解の数、(K,)。
    points: average_precision と同じ。

Returns:
    正解のあるクラスについての平均。検出のないクラスは 0 として数える。
"""

# %%
scores, labels = np.array([0.9, 0.8, 0.7, 0.6, 0.5, 0.4]), np.array([0, 1, 0, 1, 1, 3])
tp = np.array([True, False, True, True, True, False])
round(mean_average_precision(scores, tp, labels, np.array([3, 2, 1, 0])), 4)
# 0.4444

# %% graded mean_average_precision

# %% [markdown] lang="ja"
# ## 試験で問われること
#
# - IoU の計算。分母は和集合 $A + B - I$ で、一辺を割合 $f$ だけずらした同じ箱なら $(1-f)/(1+f)$。
# - 2段階(R-CNN 系)と 1段階(YOLO、SSD、RetinaNet など)の区別と例。前者は精度、後者は速さが売りとされる。
# - Fast R-CNN の遅さは Selective Search。Faster R-CNN は RPN に替え、特徴マップを共有した。アンカーは位置ごとに 3 × 3 = 9 個。
# - YOLO v1 の出力は $S^2(5B + C)$、v2 からは $S^2 B(5 + C)$。物体の中心が入るセルが担当する。
# - SSD は大きさの異なる複数の特徴マップを使い、分類と回帰の両方を行う。出力は $f^2 n(c + 4)$ で、$c$ は背景を含む。
# - NMS の手順。しきい値が大きいほど、多くの箱が残る。
# - 箱の符号化: 中心のずれはアンカーの大きさで割り、幅と高さの比は対数にする。
# - 適合率・再現率・AP・mAP の計算。ハードネガティブは正例の 3 倍まで、損失の大きい負例から選ぶ。

# %% [markdown] lang="en"
# ## What the exam asks
#
# - The IoU: over the union $A + B - I$; for equal boxes shifted along one side by its share $f$, $(1-f)/(1+f)$.
# - Which detectors are two-stage (the R-CNN family) and which one-stage (YOLO, SSD, RetinaNet …); the first are said to be accurate, the second fast.
# - Fast R-CNN is held up by Selective Search. Faster R-CNN replaces it by the RPN, on a shared feature map, with 3 × 3 = 9 anchors a position.
# - YOLO v1 puts out $S^2(5B + C)$ numbers, v2 and later $S^2 B(5 + C)$. The cell that holds the centre of an object is responsible for it.
# - SSD uses several feature maps of different size and does both classification and regression: $f^2 n(c + 4)$ outputs, $c$ with the background.
# - The steps of NMS; the higher the threshold, the more boxes stay.
# - Encoding boxes: the centre's offset is divided by the anchor's size, the ratio of sizes enters as a logarithm.
# - Computing precision, recall, AP and mAP. Hard negatives: up to 3 for each positive, those of the highest loss.
