"""Networks from the view of an agent, and perhaps the mean action, to values of its actions.

`look` processes the view once, and `forward` joins the mean action to it. Inner iterations, which
change the mean action alone, repeat only the smaller part.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt
import torch
from torch import nn
from torch.nn import functional

from isingrl.battle.games import VIEW_SIDE
from isingrl.battle.kernels import cells as kernels
from isingrl.battle.kernels.agents import FOE, N_ACTIONS, N_CODES, WALL
from isingrl.battle.team import CHAPTER, CONVOLUTIONAL, TWO_HEADED
from isingrl.support.kinds import check_name, register

N_CELLS = VIEW_SIDE * VIEW_SIDE

KINDS: dict[str, type[BattleNetwork]] = {}
"""Networks by name, those of users too."""


class BattleNetwork(nn.Module, ABC):
    """The base class of networks: planes for the codes of cells.

    The arguments of a network are whether it has a mean action as input, and the number of
    outputs. Each class has its own name, which files keep.
    """

    name: ClassVar[str]

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        register(cls, KINDS)

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("planes", torch.from_numpy(self.code_planes()), persistent=False)

    @staticmethod
    def code_planes() -> npt.NDArray[np.float32]:
        """Presence and health of team mates and of foes, and walls; shape (202, n_planes)."""
        planes = np.zeros((N_CODES, 5), np.float32)
        health = np.arange(1, FOE + 1) / FOE
        planes[1 : FOE + 1, 0], planes[1 : FOE + 1, 1] = 1.0, health
        planes[FOE + 1 : WALL, 2], planes[FOE + 1 : WALL, 3] = 1.0, health
        planes[WALL, 4] = 1.0
        return planes

    def decode(self, views: torch.Tensor) -> torch.Tensor:
        """Planes of views (n, 169), shape (n, 169, n_planes)."""
        planes = self.get_buffer("planes")
        return functional.embedding(views.int(), planes)

    @abstractmethod
    def look(self, views: torch.Tensor) -> torch.Tensor:
        """Features of views (n, 169), without the mean action."""

    @abstractmethod
    def forward(self, seen: torch.Tensor, mean: torch.Tensor | None) -> torch.Tensor:
        """Outputs (n, outputs) from the features of `look` and mean actions (n, 21)."""


class CellLayer(nn.Linear):
    """A linear layer on the planes of all cells; on a CPU, empty cells take no time.

    In the order of its inputs the planes of a cell are neighbours or, `by_plane`, the cells of a
    plane.
    """

    def __init__(self, n_planes: int, outputs: int, by_plane: bool = False) -> None:
        super().__init__(n_planes * N_CELLS, outputs)
        self.by_plane = by_plane
        # the weights of one input are neighbours in memory, for they are added together
        self.weight.data = self.weight.data.t().contiguous().t()

    def forward(  # type: ignore[override]
        self, views: torch.Tensor, planes: torch.Tensor
    ) -> torch.Tensor:
        """Outputs (n, outputs) for views (n, 169), whose codes have these planes."""
        if views.device.type == "cpu":
            steps = (1, N_CELLS) if self.by_plane else (planes.shape[1], 1)
            arguments = views, planes, self.weight, self.bias, steps
            sums: torch.Tensor = _CellSum.apply(*arguments)  # type: ignore[no-untyped-call]
            return sums
        return self._of_all(views, planes)

    def _of_all(self, views: torch.Tensor, planes: torch.Tensor) -> torch.Tensor:
        """The same from all planes of all cells."""
        seen = functional.embedding(views.int(), planes)
        return super().forward((seen.mT if self.by_plane else seen).flatten(1))


class _CellSum(torch.autograd.Function):
    """See `CellLayer`; with one more dimension in front, the layers of several networks."""

    @staticmethod
    def forward(
        views: torch.Tensor,
        planes: torch.Tensor,
        weight: torch.Tensor,
        bias: torch.Tensor,
        steps: tuple[int, int],
    ) -> torch.Tensor:
        sums = bias.new_empty(*views.shape[:-1], bias.shape[-1])
        for codes, by_input, first, out in _each(views, weight.mT, bias, sums):
            kernels.sum_cells(codes, planes.numpy(), by_input, first, *steps, out)
        return sums

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: torch.Tensor) -> None:
        views, planes, _, _, ctx.steps = inputs
        ctx.save_for_backward(views, planes)

    @staticmethod
    def backward(ctx: Any, gradients: torch.Tensor) -> tuple[torch.Tensor | None, ...]:
        views, planes = ctx.saved_tensors
        shape = (*views.shape[:-2], N_CELLS * planes.shape[1], gradients.shape[-1])
        weights = gradients.new_zeros(shape)
        for codes, given, out in _each(views, gradients.contiguous(), weights):
            kernels.add_outer_products(codes, planes.numpy(), given, *ctx.steps, out)
        return None, None, weights.mT, gradients.sum(dim=-2), None

    @staticmethod
    def vmap(info: Any, dims: tuple[Any, ...], *inputs: Any) -> tuple[torch.Tensor, int]:
        views, planes, weight, bias, steps = inputs
        stacked = [
            each.expand(info.batch_size, *each.shape) if dim is None else each.movedim(dim, 0)
            for each, dim in ((views, dims[0]), (weight, dims[2]), (bias, dims[3]))
        ]
        arguments = stacked[0], planes, *stacked[1:], steps
        return _CellSum.apply(*arguments), 0  # type: ignore[no-untyped-call]


def _each(views: torch.Tensor, *others: torch.Tensor) -> Iterator[list[npt.NDArray[Any]]]:
    """Arrays of each network in turn, or those of the only one."""
    arrays = [each.detach().numpy() for each in (views, *others)]
    return iter([arrays]) if views.ndim == 2 else map(list, zip(*arrays, strict=True))


class ChapterNetwork(BattleNetwork):
    """The chapter's 359 → 25 → 21: places of team mates and foes, and the mean action."""

    name = CHAPTER

    def __init__(self, mean_action: bool, outputs: int, hidden: int = 25) -> None:
        super().__init__()
        self.view = CellLayer(2, hidden, by_plane=True)
        self.mean = nn.Linear(N_ACTIONS, hidden, bias=False) if mean_action else None
        self.output = nn.Linear(hidden, outputs)

    @staticmethod
    def code_planes() -> npt.NDArray[np.float32]:
        """Presence of team mates and of foes."""
        return np.ascontiguousarray(BattleNetwork.code_planes()[:, [0, 2]])

    def look(self, views: torch.Tensor) -> torch.Tensor:
        """See `BattleNetwork.look`."""
        seen: torch.Tensor = self.view(views, self.get_buffer("planes"))
        return seen

    def forward(self, seen: torch.Tensor, mean: torch.Tensor | None) -> torch.Tensor:
        """See `BattleNetwork.forward`."""
        if self.mean is not None:
            seen = seen + self.mean(mean)
        values: torch.Tensor = self.output(functional.elu(seen))
        return values


class TwoHeadedNetwork(BattleNetwork):
    """View and mean action each through a layer of their own, then joined."""

    name = TWO_HEADED

    def __init__(
        self, mean_action: bool, outputs: int, view: int = 128, mean: int = 32, joined: int = 64
    ) -> None:
        super().__init__()
        self.view = CellLayer(self.get_buffer("planes").shape[1], view)
        self.mean = nn.Linear(N_ACTIONS, mean) if mean_action else None
        self.joined = nn.Linear(view + (mean if mean_action else 0), joined)
        self.output = nn.Linear(joined, outputs)

    def look(self, views: torch.Tensor) -> torch.Tensor:
        """See `BattleNetwork.look`."""
        seen = functional.relu(self.view(views, self.get_buffer("planes")))
        weights = self.joined.weight[:, : self.view.out_features]
        return functional.linear(seen, weights, self.joined.bias)

    def forward(self, seen: torch.Tensor, mean: torch.Tensor | None) -> torch.Tensor:
        """See `BattleNetwork.forward`."""
        if self.mean is not None:
            weights = self.joined.weight[:, self.view.out_features :]
            seen = seen + functional.linear(functional.relu(self.mean(mean)), weights)
        values: torch.Tensor = self.output(functional.relu(seen))
        return values


class ConvolutionalNetwork(BattleNetwork):
    """The paper's: two convolutions and a layer of 256; mean action → 64 → 32; then 128 → 64."""

    name = CONVOLUTIONAL

    def __init__(self, mean_action: bool, outputs: int, channels: int = 32) -> None:
        super().__init__()
        n_planes = self.get_buffer("planes").shape[1]
        self.convolutions = nn.Sequential(
            nn.Conv2d(n_planes, channels, 3), nn.ReLU(), nn.Conv2d(channels, channels, 3), nn.ReLU()
        )
        self.view = nn.Linear(channels * (VIEW_SIDE - 4) ** 2, 256)
        self.mean = None
        if mean_action:
            self.mean = nn.Sequential(
                nn.Linear(N_ACTIONS, 64), nn.ReLU(), nn.Linear(64, 32), nn.ReLU()
            )
        self.joined = nn.Sequential(
            nn.Linear(256 + (32 if mean_action else 0), 128),
            nn.ReLU(),
            nn.Linear(128, 64),
            nn.ReLU(),
            nn.Linear(64, outputs),
        )

    def look(self, views: torch.Tensor) -> torch.Tensor:
        """See `BattleNetwork.look`."""
        planes = self.decode(views).view(len(views), VIEW_SIDE, VIEW_SIDE, -1).permute(0, 3, 1, 2)
        return functional.relu(self.view(self.convolutions(planes).flatten(1)))

    def forward(self, seen: torch.Tensor, mean: torch.Tensor | None) -> torch.Tensor:
        """See `BattleNetwork.forward`."""
        if self.mean is not None:
            seen = torch.cat([seen, self.mean(mean)], dim=1)
        values: torch.Tensor = self.joined(seen)
        return values


def make_network(
    network: str | type[BattleNetwork], mean_action: bool, outputs: int, seed: int
) -> BattleNetwork:
    """Make a network with parameters that depend on `seed` alone."""
    kind = KINDS[network] if isinstance(network, str) else network
    if not issubclass(kind, BattleNetwork):
        raise TypeError(f"network must be a name or a subclass of BattleNetwork; got {kind!r}")
    check_name(kind)
    make: Callable[[bool, int], BattleNetwork] = kind
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return make(mean_action, outputs)
