"""Agents of stable-baselines3 become an Ising model.

DQN without discount learns the rewards of the spins; the softmax of its action values is then a
policy at any temperature. PPO without discount learns the policy of one temperature, if its entropy
coefficient is the softmax temperature. Both become tables that `isingrl.simulate` runs, here
compared with the heat bath. Needs the extra isingrl[environments], stable-baselines3 and SuperSuit.

    python docs/examples/learn_with_stable_baselines3.py --temperature 2.0 2.269 2.5 3.0
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Literal

import numpy as np
import supersuit
import torch
import tyro
from scipy.special import expit, logit
from stable_baselines3 import DQN, PPO
from stable_baselines3.common.utils import set_random_seed
from stable_baselines3.common.vec_env import VecEnv

import isingrl as irl
from analysis import thermodynamics
from isingrl.envs import IsingEnv, IsingVectorEnv

Function = Callable[[np.ndarray], np.ndarray]
"""From observations, shape (n, *observation shape), to a number of each, shape (n,)."""

STEPS = 4
"""Steps after which a lattice begins anew at random. So agents keep meeting all observations also
below T_c. On a magnetized lattice they would not."""


class Adapter(VecEnv):
    """An `IsingVectorEnv` in the form that stable-baselines3 asks for."""

    def __init__(self, env: IsingVectorEnv) -> None:
        self.env = env
        self.render_mode = None
        super().__init__(env.num_envs, env.single_observation_space, env.single_action_space)

    def reset(self) -> np.ndarray:
        """Begin anew, with the last seed given to `seed`."""
        observations, _ = self.env.reset(seed=self._seeds[0])
        self._reset_seeds()
        return observations

    def step_async(self, actions: np.ndarray) -> None:
        """Keep the actions for `step_wait`."""
        self.actions = actions

    def step_wait(self) -> tuple[np.ndarray, np.ndarray, np.ndarray, list[dict[str, Any]]]:
        """Let all sites act. A learner without discount does not need the last observation."""
        observations, rewards, _, truncated, _ = self.env.step(self.actions)
        return observations, rewards.astype(np.float32), truncated, [{}] * self.num_envs

    def close(self) -> None:
        """Close the environment."""
        self.env.close()

    def get_attr(self, attr_name: str, indices: Any = None) -> list[Any]:
        """Attribute of this environment, for each of its sites."""
        return [getattr(self, attr_name) for _ in self._get_indices(indices)]

    def env_is_wrapped(self, wrapper_class: type, indices: Any = None) -> list[bool]:
        """False for every site."""
        return [False for _ in self._get_indices(indices)]

    def set_attr(self, attr_name: str, value: Any, indices: Any = None) -> None:
        """Sites have nothing to set."""
        raise NotImplementedError

    def env_method(self, method_name: str, *args: Any, indices: Any = None, **kwargs: Any) -> Any:
        """Sites have no methods of their own."""
        raise NotImplementedError


def as_arrays(model: irl.Ising, seed: int) -> VecEnv:
    """All sites of a lattice as arrays: the fast way."""
    env = Adapter(IsingVectorEnv(model, max_steps=STEPS))
    env.seed(seed)
    return env


def through_supersuit(model: irl.Ising, seed: int) -> VecEnv:
    """All agents of the PettingZoo environment, as dictionaries: the general way."""
    env = IsingEnv(model, max_steps=STEPS)
    env.reset(seed=seed)  # SuperSuit passes no seeds on; all later starts follow from this one
    agents = supersuit.pettingzoo_env_to_vec_env_v1(env)
    vector: VecEnv = supersuit.concat_vec_envs_v1(agents, 1, base_class="stable_baselines3")
    return vector


def learn_values(env: VecEnv, steps: int, seed: int) -> Function:
    """Q(up) − Q(down) by DQN, from agents that act at random and so meet all observations."""
    seed_all(env, seed)
    learner = DQN(
        "MlpPolicy",
        env,
        gamma=0.0,
        exploration_initial_eps=1.0,
        exploration_final_eps=1.0,
        learning_rate=falling(0.01),
        batch_size=1024,
        train_freq=1,
        gradient_steps=2,
        buffer_size=50_000,
        learning_starts=env.num_envs,
        policy_kwargs={"net_arch": [16]},
        device="cpu",
    )
    learner.learn(steps * env.num_envs)

    def advantage(observations: np.ndarray) -> np.ndarray:
        with torch.no_grad():
            q = learner.q_net(torch.as_tensor(observations)).numpy()
        advantages: np.ndarray = q[:, 1] - q[:, 0]
        return advantages

    return advantage


def learn_policy(env: VecEnv, softmax_temperature: float, steps: int, seed: int) -> Function:
    """P(up) by PPO: with an entropy coefficient τ it converges to ∝ exp(reward / τ)."""
    seed_all(env, seed)
    learner = PPO(
        "MlpPolicy",
        env,
        gamma=0.0,
        ent_coef=softmax_temperature,
        normalize_advantage=False,  # it would change the scale of the reward, and so τ
        learning_rate=falling(0.1),
        n_steps=32,
        batch_size=32 * env.num_envs,
        n_epochs=2,
        policy_kwargs={"net_arch": []},  # a logistic regression, like the heat bath
        device="cpu",
    )
    learner.learn(steps * env.num_envs)

    def probability_up(observations: np.ndarray) -> np.ndarray:
        with torch.no_grad():
            policy = learner.policy.get_distribution(torch.as_tensor(observations))
        probabilities: np.ndarray = policy.distribution.probs.numpy()  # type: ignore[union-attr]
        return probabilities[:, 1]

    return probability_up


def seed_all(env: VecEnv, seed: int) -> None:
    """Seed the draws of actions; `seed=` of the learner fails on SuperSuit's environments."""
    set_random_seed(seed)
    env.action_space.seed(seed)


def falling(rate: float) -> Callable[[float], float]:
    """Learning rate that falls to 0, so that the learner converges."""
    return lambda remaining: rate * remaining


def symmetric(probability_up: Function) -> Function:
    """Mean over the spin flip, the symmetry of the model without a field."""
    return lambda o: (probability_up(o) + 1 - probability_up(1 - o)) / 2


def learned_rules(
    make_env: Callable[[irl.Ising, int], VecEnv],
    model: irl.Ising,
    temperature: np.ndarray,
    value_steps: int,
    policy_steps: int,
    seed: int,
) -> list[irl.Rule]:
    """Rules learned by DQN and PPO, at all temperatures."""
    env = IsingEnv(model)  # converts T to τ, and makes the tables
    taus = env.softmax_temperature(temperature)
    advantage = learn_values(make_env(model, seed), value_steps, seed)
    policies = [learn_policy(make_env(model, seed), tau, policy_steps, seed) for tau in taus]
    return [
        env.rule(lambda o: expit(advantage(o) / taus[:, None]), temperature, name="dqn"),
        env.rule(lambda o: np.stack([p(o) for p in policies]), temperature, name="ppo"),
        env.rule(
            lambda o: np.stack([symmetric(p)(o) for p in policies]),
            temperature,
            name="ppo-symmetric",
        ),
    ]


def stands_for(
    rule: irl.Rule, model: irl.Ising, temperature: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Temperature and field of the Ising model nearest to a rule.

    A line is fitted to its log-odds against the sums S of the neighbour spins; for the heat bath
    they are 2 (J S + h) / T.
    """
    sums = 2 * model.lattice.n_up - model.lattice.coordination_number
    slope, at_zero = np.polyfit(sums, logit(rule.table(model, temperature)[:, 0]).T, 1)
    T = 2 * model.one_coupling() / slope
    return T, at_zero * T / 2


def main(
    temperature: Sequence[float] = (2.0, 2.269, 2.5, 3.0),
    through: Literal["arrays", "supersuit"] = "arrays",
    train_side: int = 32,
    value_steps: int = 400,
    policy_steps: int = 6400,
    side: int = 32,
    sweeps: int = 20_000,
    chains: int = 16,
    seed: int = 1,
) -> None:
    """Learn on a small lattice, simulate a larger one, print |m| and its deviation.

    Parameters
    ----------
    temperature : sequence of float
        In J/k_B.
    through : {"arrays", "supersuit"}
        Connection to stable-baselines3: an `IsingVectorEnv`, or an `IsingEnv` through SuperSuit,
        ten times as slow.
    train_side : int
        Side of the square lattice for learning.
    value_steps, policy_steps : int
        Steps of the environment for DQN and PPO; in each step every site answers.
    side, sweeps, chains : int
        Of the simulation.
    seed : int
    """
    torch.set_num_threads(1)
    T = np.array(temperature)
    small, model = (irl.Ising(irl.Lattice((length, length))) for length in (train_side, side))
    make_env = as_arrays if through == "arrays" else through_supersuit
    rules = learned_rules(make_env, small, T, value_steps, policy_steps, seed)
    exact = irl.HeatBath().table(model, T)
    expected = None
    print(
        "rule             T      |m|  (error)   z from heat bath   T stands for   field   P(up) off"
    )
    for number, rule in enumerate((irl.HeatBath(), *rules)):
        data = irl.simulate(
            model, rule, T, sweeps=sweeps, thermalization=sweeps // 10, chains=chains,
            start="up", seed=seed + number,
        )  # fmt: skip
        measured = thermodynamics(data)
        m, error = measured.abs_magnetization.values, measured.abs_magnetization_error.values
        expected = (m, error) if expected is None else expected
        z = (m - expected[0]) / np.hypot(error, expected[1])
        off = abs(rule.table(model, T) - exact).max(axis=(1, 2))
        for row in zip(T, m, error, z, *stands_for(rule, model, T), off, strict=True):
            print(
                "{:14s} {:5.3f} {:8.4f} ({:.4f}) {:18.1f} {:14.4f} {:7.4f} {:11.1e}".format(
                    rule.name, *row
                )
            )


if __name__ == "__main__":
    tyro.cli(main)
