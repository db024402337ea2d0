"""What hypothesis draws its examples from."""

from hypothesis import strategies as st

from isingrl import Lattice
from isingrl.lattice import BOUNDARIES, HONEYCOMB, NEIGHBORHOODS, TRIANGULAR

shapes = st.one_of(
    st.tuples(st.integers(2, 30)),
    st.tuples(*[st.integers(2, 9)] * 2),
    st.tuples(*[st.integers(2, 6)] * 3),
)


@st.composite
def neighborhoods(draw, shape):
    """A name, or a few steps."""
    names = list(NEIGHBORHOODS)
    if len(shape) == 2:
        names += [TRIANGULAR] if any(side % 2 for side in shape) else [TRIANGULAR, HONEYCOMB]
    if draw(st.booleans()):
        return draw(st.sampled_from(names))
    step = st.tuples(*(st.integers(-min(3, side - 1), min(3, side - 1)) for side in shape))
    return draw(
        st.lists(
            step.filter(any), min_size=1, max_size=4,
            unique_by=lambda step: max(step, tuple(-each for each in step)),
        )
    )  # fmt: skip


@st.composite
def any_lattice(draw):
    shape = draw(shapes)
    return Lattice(shape, draw(neighborhoods(shape)), draw(st.sampled_from(BOUNDARIES)))


lattices = any_lattice()
"""Any lattice of up to about two hundred sites."""
