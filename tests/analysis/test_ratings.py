"""Win rates and ratings of tournaments."""

import numpy as np
import pytest
import xarray as xr
from scipy import stats
from scipy.special import expit
from scipy.stats import t as student

from analysis import bradley_terry, rates_over_trainings, ratings_over_trainings, win_rates
from tests.statistical import check_standard_normal

ELO = 400 / np.log(10)


def tournament(wins, draws=None, names=None):
    """Dataset of wins of teams (rows) and draws."""
    wins = np.array(wins)
    draws = np.zeros_like(wins) if draws is None else np.array(draws)
    names = list(names or "abcdefghij"[: len(wins)])
    dims = ("team", "opponent")
    counts = {"wins": wins, "draws": draws, "losses": wins.T, "games": wins + wins.T + draws}
    coords = {"team": names, "opponent": names}
    return xr.Dataset({name: (dims, each) for name, each in counts.items()}, coords)


def play(strength, games, generator, draw=0.0):
    """Tournament between teams whose odds are the ratios of exp(strength)."""
    n = len(strength)
    wins, draws = np.zeros((n, n), int), np.zeros((n, n), int)
    for i in range(n):
        for j in range(i):
            drawn = generator.binomial(games, draw)
            chance = 1 / (1 + np.exp(strength[j] - strength[i]))
            wins[i, j] = generator.binomial(games - drawn, chance)
            wins[j, i] = games - drawn - wins[i, j]
            draws[i, j] = draws[j, i] = drawn
    return tournament(wins, draws)


def zermelo(wins, draws):
    """Ratings by Zermelo's iteration, one team at a time."""
    points = np.array(wins) + np.array(draws) / 2 + 0.5
    n = len(points)
    strength = np.ones(n)
    for _ in range(3_000):
        for i in range(n):
            others = [j for j in range(n) if j != i]
            won = sum(points[i, j] for j in others)
            met = sum((points[i, j] + points[j, i]) / (strength[i] + strength[j]) for j in others)
            strength[i] = won / met
        strength /= np.exp(np.log(strength).mean())
    return ELO * np.log(strength)


def test_win_rates_of_a_tournament():
    data = tournament([[0, 8], [1, 0]], [[0, 3], [3, 0]])
    rates = win_rates(data)
    np.testing.assert_allclose(rates["win_rate"], [[np.nan, 8 / 12], [1 / 12, np.nan]])
    np.testing.assert_allclose(rates["draw_rate"], [[np.nan, 0.25], [0.25, np.nan]])
    np.testing.assert_allclose(rates["loss_rate"], [[np.nan, 1 / 12], [8 / 12, np.nan]])
    assert np.isnan(rates["win_rate_low"].values.diagonal()).all()
    total = rates["win_rate"] + rates["draw_rate"] + rates["loss_rate"]
    np.testing.assert_allclose(total.values[[0, 1], [1, 0]], 1)
    assert rates["win_rate"].attrs == {"long_name": "share of games won", "units": "1"}
    assert rates["team"].values.tolist() == ["a", "b"]


@pytest.mark.parametrize("level", [0.68, 0.95, 0.999])
def test_the_ends_are_those_of_wilson(level):
    games = np.array([1, 1, 7, 40, 200, 200])
    wins = np.array([0, 1, 2, 40, 77, 0])
    rates = win_rates(xr.Dataset({"wins": ("pair", wins), "games": ("pair", games)}), level)
    z = stats.norm.isf((1 - level) / 2)
    for end in (rates["win_rate_low"].values, rates["win_rate_high"].values):
        distance = abs(end - wins / games)
        np.testing.assert_allclose(distance, z * np.sqrt(end * (1 - end) / games), atol=1e-12)
    assert (rates["win_rate_low"] <= rates["win_rate"] + 1e-12).all()
    assert (rates["win_rate_high"] >= rates["win_rate"] - 1e-12).all()
    assert set(rates) == {"win_rate", "win_rate_low", "win_rate_high"}
    assert rates.attrs["level"] == level


def test_counts_of_any_dims():
    data = tournament([[0, 8, 5], [1, 0, 7], [4, 2, 0]])
    several = xr.concat([data, data], "run").transpose("opponent", "run", "team")
    rates = win_rates(several)
    xr.testing.assert_allclose(rates.isel(run=1).transpose("team", "opponent"), win_rates(data))
    one = win_rates(xr.Dataset({"wins": 3, "games": 4}))
    assert one["win_rate"].item() == 0.75
    shared = win_rates(xr.Dataset({"wins": ("team", [1, 3]), "games": 4}))
    assert shared["win_rate_low"].dims == ("team",)
    assert shared["win_rate_low"][1] == one["win_rate_low"]


def test_bad_counts():
    data = tournament([[0, 8], [1, 0]])
    with pytest.raises(ValueError, match=r"level must lie in \(0, 1\); got 95"):
        win_rates(data, 95)
    with pytest.raises(ValueError, match="must hold 'games'"):
        win_rates(data[["wins"]])
    with pytest.raises(ValueError, match="wins must be integers of at least 0; got float64"):
        win_rates(data.assign(wins=data["wins"] / 2))
    with pytest.raises(ValueError, match="draws must be integers of at least 0; got int64 from -1"):
        bradley_terry(data.assign(draws=data["draws"] - 1))
    with pytest.raises(ValueError, match="wins must not exceed games; got up to 7 more"):
        win_rates(data.assign(wins=data["wins"] * 2))


def test_bad_tournaments():
    data = tournament([[0, 8], [1, 0]])
    with pytest.raises(ValueError, match=r"must lie over 'team' and 'opponent'; got \('team',\)"):
        bradley_terry(data.isel(opponent=0))
    with pytest.raises(ValueError, match=r"two or more, .*got \['a', 'b'\] and \['b', 'a'\]"):
        bradley_terry(data.isel(opponent=[1, 0]))
    with pytest.raises(ValueError, match="two or more"):
        bradley_terry(data.isel(opponent=[0], team=[0]))
    uneven = data.assign(draws=data["draws"] + np.array([[0, 2], [1, 0]]))
    with pytest.raises(ValueError, match="'a' and 'b' have 2 and 1"):
        bradley_terry(uneven)


@pytest.mark.parametrize(("won", "drawn", "lost"), [(30, 4, 7), (0, 0, 200), (5, 5, 5), (0, 0, 0)])
def test_two_teams_in_closed_form(won, drawn, lost):
    data = tournament([[0, won], [lost, 0]], [[0, drawn], [drawn, 0]])
    result = bradley_terry(data)
    games = won + drawn + lost + 1
    chance = (won + drawn / 2 + 0.5) / games
    difference = ELO * np.log(chance / (1 - chance))
    np.testing.assert_allclose(result["rating"], [difference / 2, -difference / 2], atol=1e-5)
    error = ELO / (2 * np.sqrt(games * chance * (1 - chance)))
    np.testing.assert_allclose(result["rating_error"], error, rtol=1e-6)


def test_ratings_agree_with_zermelo():
    generator = np.random.default_rng(5)
    data = play(generator.normal(0, 1.5, 6), 40, generator, draw=0.2)
    found = bradley_terry(data)["rating"]
    expected = zermelo(data["wins"].values, data["draws"].values)
    np.testing.assert_allclose(found, expected, atol=1e-4)


def test_errors_are_the_inverse_of_a_curvature_by_differences():
    generator = np.random.default_rng(6)
    data = play(generator.normal(0, 1, 4), 60, generator, draw=0.1)
    result = bradley_terry(data)
    points = data["wins"].values + data["draws"].values / 2 + 0.5

    def likelihood(strength):
        pairs = [(i, j) for i in range(4) for j in range(4) if i != j]
        return sum(-points[i, j] * np.log1p(np.exp(strength[j] - strength[i])) for i, j in pairs)

    at, width, unit = result["rating"].values / ELO, 1e-3, np.eye(4)
    curvature = np.array(
        [
            [
                sum(
                    a * b * likelihood(at + width * (a * unit[i] + b * unit[j]))
                    for a in (-1, 1)
                    for b in (-1, 1)
                )
                for j in range(4)
            ]
            for i in range(4)
        ]
    ) / (-4 * width**2)
    variance = np.linalg.pinv(curvature, rcond=1e-4).diagonal()
    np.testing.assert_allclose(result["rating_error"], ELO * np.sqrt(variance), rtol=1e-3)


def test_ratings_do_not_depend_on_the_order():
    generator = np.random.default_rng(7)
    data = play(generator.normal(0, 2, 5), 30, generator, draw=0.3)
    order = [3, 0, 4, 1, 2]
    turned = bradley_terry(data.isel(team=order, opponent=order).transpose())
    result = bradley_terry(data)
    assert turned["team"].values.tolist() == list("daebc")
    xr.testing.assert_allclose(turned.sel(team=result["team"]), result, atol=1e-5)
    assert abs(result["rating"].mean()) < 1e-9
    assert result["rating"].attrs["units"] == "Elo"


def test_perfect_records_stay_finite():
    wins = np.triu(np.full((4, 4), 200), 1)
    result = bradley_terry(tournament(wins))
    assert np.isfinite(result["rating"]).all()
    assert np.isfinite(result["rating_error"]).all()
    assert (np.diff(result["rating"]) < -400).all()


def test_ratings_lie_around_the_true_strengths_by_their_errors():
    generator = np.random.default_rng(8)
    strength = np.array([1.0, 0.2, -0.3, -0.9])
    z = []
    for _ in range(250):
        result = bradley_terry(play(strength, 200, generator))
        z.append((result["rating"].values - ELO * strength) / result["rating_error"].values)
    for team in np.transpose(z):
        check_standard_normal(team)


def test_draws_narrow_the_spread_and_leave_the_errors_on_the_safe_side():
    generator = np.random.default_rng(9)
    found = [bradley_terry(play(np.zeros(3), 100, generator, draw=0.5)) for _ in range(100)]
    rating = np.array([result["rating"].values for result in found])
    error = np.array([result["rating_error"].values for result in found])
    ratio = rating.std(axis=0) / error.mean(axis=0)
    assert (abs(ratio - np.sqrt(0.5)) < 4.5 * np.sqrt(0.5) / np.sqrt(2 * 100)).all(), ratio


@pytest.mark.soak
def test_rates_over_trainings_know_that_trainings_differ():
    """Win rates of methods whose trainings have strengths of their own: intervals hold the mean."""
    generator, covered, widths = np.random.default_rng(11), 0, []
    runs, trainings, games = 300, 6, 20
    strengths = np.random.default_rng(1).normal(0, 1, (2, 200_000))
    truth = expit(strengths[0] - strengths[1]).mean()
    for _ in range(runs):
        own, other = generator.normal(0, 1, (2, trainings))
        wins = generator.binomial(games, expit(own[:, None] - other))
        dims = ("training", "opponent_training")
        data = xr.Dataset({"wins": (dims, wins), "games": (dims, np.full(wins.shape, games))})
        rates = rates_over_trainings(data)
        covered += bool(rates["win_rate_low"] <= truth <= rates["win_rate_high"])
        widths.append(float(rates["win_rate_high"] - rates["win_rate_low"]))
    assert 0.9 * runs < covered < 0.99 * runs
    pooled = win_rates(data.sum(["training", "opponent_training"]))
    assert np.mean(widths) > 2 * float(pooled["win_rate_high"] - pooled["win_rate_low"])


@pytest.mark.parametrize("sizes", [(1, 1), (3, 2)])
def test_rates_over_trainings_need_as_many_on_both_sides(sizes):
    dims = ("training", "opponent_training")
    data = xr.Dataset({"wins": (dims, np.ones(sizes, int)), "games": (dims, np.ones(sizes, int))})
    with pytest.raises(ValueError, match="as many trainings as opponent_trainings, two or more"):
        rates_over_trainings(data)


def contests(own, other, games, generator):
    """Games of two methods whose trainings have strengths of their own, a fifth of them drawn."""
    shape = (2, 2, own.size, own.size)
    wins, draws = np.zeros(shape, int), np.zeros(shape, int)
    chance = expit(own[:, None] - other)
    draws[0, 1] = generator.binomial(games, 0.2, chance.shape)
    wins[0, 1] = generator.binomial(games - draws[0, 1], chance)
    draws[1, 0] = draws[0, 1].T
    wins[1, 0] = (games - draws[0, 1] - wins[0, 1]).T
    losses = wins.transpose(1, 0, 3, 2)
    dims = ("team", "opponent", "training", "opponent_training")
    counts = {"wins": wins, "draws": draws, "losses": losses, "games": wins + draws + losses}
    return xr.Dataset(
        {name: (dims, values) for name, values in counts.items()},
        {"team": ["a", "b"], "opponent": ["a", "b"]},
    )


def test_ratings_over_trainings_know_that_trainings_differ():
    generator = np.random.default_rng(5)
    alike = contests(np.full(5, 0.5), np.zeros(5), 40, generator)
    apart = contests(0.5 + generator.normal(0, 1, 5), generator.normal(0, 1, 5), 40, generator)
    pooled = [bradley_terry(each.sum(["training", "opponent_training"])) for each in (alike, apart)]
    found = [ratings_over_trainings(each) for each in (alike, apart)]
    for one, other in zip(found, pooled, strict=True):
        np.testing.assert_array_equal(one["rating"], other["rating"])
        np.testing.assert_allclose(one["rating_error"][0], one["rating_error"][1])
        assert (one["rating_low"] < one["rating"]).all()
    assert found[0]["rating_error"][0] < 2 * pooled[0]["rating_error"][0]
    assert found[1]["rating_error"][0] > 2 * pooled[1]["rating_error"][0]
    # Student's t with four degrees of freedom
    half = (found[1]["rating_high"] - found[1]["rating"]) / found[1]["rating_error"]
    np.testing.assert_allclose(half, 2.776, atol=1e-3)


def test_trainings_needed_follow_from_the_lead_and_its_error():
    data = contests(np.array([0.2, 0.9, 0.5]), np.zeros(3), 40, np.random.default_rng(4))
    rates = rates_over_trainings(data)
    lead = (data["wins"] - data["losses"]).sum(["training", "opponent_training"]) / (9 * 40)
    np.testing.assert_allclose(rates["lead"].values[0, 1], lead.values[0, 1])
    ratio = (rates["lead_error"] / rates["lead"]).values
    np.testing.assert_allclose(ratio[0, 1], -ratio[1, 0])
    needed = np.ceil(3 * ((1.959964 + 0.841621) * ratio[0, 1]) ** 2)
    assert rates["trainings_needed"].values[0, 1] == max(2, needed)
    assert np.isnan(rates["trainings_needed"].values[0, 0])


@pytest.mark.soak
def test_trainings_needed_are_those_that_show_the_lead():
    generator, seen, runs = np.random.default_rng(6), 0, 200
    strengths = generator.normal(0, 0.5, (2, 150))
    large = contests(0.4 + strengths[0], strengths[1], 40, generator)
    needed = int(rates_over_trainings(large)["trainings_needed"].values[0, 1])
    assert 10 < needed < 60
    for _ in range(runs):
        own, other = generator.normal(0, 0.5, (2, needed))
        rates = rates_over_trainings(contests(0.4 + own, other, 40, generator))
        lead, error = (rates[name].values[0, 1] for name in ("lead", "lead_error"))
        seen += lead > student.ppf(0.975, needed - 1) * error
    assert abs(seen / runs - 0.8) < 0.15
