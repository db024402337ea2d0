"""Compile kernels once, and not in both processes of the tests, if the cache is empty.

Each process compiles its part before its first test, and later finds that of the other in the
cache.
"""

import numpy as np

import isingrl as irl

FEW = {"sweeps": 40, "seed": 1}


def lanes():
    """Bit lanes: tables of all forms, fields, three dimensions, strips, tempering, bonds ±J."""
    square, two = irl.Lattice((8, 8)), [2.0, 3.0]
    plain = irl.Ising(square)
    for model, rule, options in [
        (plain, irl.Metropolis(), {"chains": 3}),
        (plain, irl.HeatBath(), {"snapshots": 20}),
        (plain, irl.HeatBath(), {"schedule": "synchronous"}),
        (plain, irl.Tempering(irl.Metropolis()), {}),
        (irl.Ising(square, field=0.3), irl.Metropolis(), {}),
        (irl.Ising(square, field=0.3), irl.HeatBath(), {}),
        (irl.Ising(irl.Lattice((4, 4, 4))), irl.Metropolis(), {}),
        (irl.Ising(irl.Lattice((4, 4, 4))), irl.HeatBath(), {}),
        (irl.Ising(irl.Lattice((6, 6), "moore")), irl.Metropolis(), {}),
        (irl.Ising(irl.Lattice((6, 6), "moore")), irl.HeatBath(), {}),
        (irl.Ising(irl.Lattice((4, 4, 4), "moore")), irl.Metropolis(), {}),
        (irl.Ising(irl.Lattice(16)), irl.Metropolis(), {}),
        (irl.Ising(square, irl.random_bonds(square, (1.0, -1.0), seed=1)), irl.Metropolis(), {}),
    ]:
        irl.simulate(model, rule, two, **FEW, **options)


def others():
    """Byte sites, agents, clusters, tempering of sites, and domains."""
    from analysis import label_domains

    square, two = irl.Lattice((6, 6)), [2.0, 3.0]
    plain, free = irl.Ising(square), irl.Ising(irl.Lattice((5, 6), boundary="free"), field=0.2)
    potts = irl.Potts(square, 3)
    for agent in (irl.MeanFieldQ(), irl.NeighborhoodQ(), irl.IndependentQ()):
        policy = irl.train(plain, agent, two, sweeps=50, seed=1)
        irl.simulate(plain, irl.Learning(agent), two, **FEW)
    irl.simulate(plain, policy, **FEW, schedule="random-site")
    irl.train(potts, irl.MeanFieldQ(), 1.0, sweeps=50, seed=1)
    irl.train(plain, irl.MeanFieldQ(replay=20, batch_size=5), 2.0, sweeps=20, seed=1)
    for rule in (irl.SwendsenWang(), irl.Wolff()):
        for model in (plain, free, potts, irl.Ising(irl.Lattice((4, 4, 4)))):
            data = irl.simulate(model, rule, two, **FEW, snapshots=20)
    label_domains(data["spins"])
    for rule in (irl.Metropolis(), irl.HeatBath()):
        for schedule in ("random-site", "typewriter", "checkerboard"):
            irl.simulate(free, rule, two, **FEW, schedule=schedule)
            irl.simulate(potts, rule, np.array(two) / 2, **FEW, schedule=schedule)
        irl.simulate(free, irl.Tempering(rule), two, **FEW)
        irl.simulate(potts, irl.Tempering(rule), two, **FEW)


PARTS = {"gw0": others, "gw1": lanes}
