"""Shapes are checked by letter, and a refusal names the argument."""

import numpy as np
import pytest
import torch

from reference._shapes import check_shapes


def test_equal_letters_need_equal_sizes():
    check_shapes({"x": np.ones((2, 3)), "W": np.ones((3, 4))}, x="N D", W="D H")
    with pytest.raises(ValueError, match=r"W must have the shape \(D=3, H\), not \(2, 4\)"):
        check_shapes({"x": np.ones((2, 3)), "W": np.ones((2, 4))}, x="N D", W="D H")


def test_a_square_needs_equal_sides():
    with pytest.raises(ValueError, match="Wh"):
        check_shapes({"Wh": np.ones((2, 3))}, Wh="H H")


def test_the_number_of_axes_counts():
    with pytest.raises(ValueError, match="b"):
        check_shapes({"b": np.ones((3, 1))}, b="H")


def test_empty_arrays_are_refused():
    with pytest.raises(ValueError, match=r"x must have the shape \(N, T, D\), not \(2, 0, 3\)"):
        check_shapes({"x": np.ones((2, 0, 3))}, x="N T D")


def test_tensors_are_checked_like_arrays():
    check_shapes({"x": torch.ones(2, 3)}, x="N D")
    with pytest.raises(ValueError, match=r"not \(2, 3\)"):
        check_shapes({"x": torch.ones(2, 3)}, x="N D C")


def test_what_is_not_named_is_not_looked_at():
    check_shapes({"x": np.ones(2), "kind": "tanh"}, x="D")
