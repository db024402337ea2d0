"""What hypothesis draws its examples from."""

from hypothesis import strategies as st

from isingrl import Lattice
from isingrl.lattice import BOUNDARIES, NEIGHBORHOODS

lattices = st.builds(
    Lattice,
    st.one_of(
        st.tuples(st.integers(2, 30)),
        st.tuples(*[st.integers(2, 9)] * 2),
        st.tuples(*[st.integers(2, 6)] * 3),
    ),
    st.sampled_from(NEIGHBORHOODS),
    st.sampled_from(BOUNDARIES),
)
"""Any lattice of up to about two hundred sites."""
