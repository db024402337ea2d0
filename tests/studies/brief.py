"""Studies of battles that are over after a few steps."""

from dataclasses import replace

from studies.battle_chapter import BattleChapter
from studies.battle_paper import BattlePaper
from studies.battle_temperature import BattleTemperature


class Brief:
    @property
    def arena(self):
        return replace(super().arena, max_steps=3)


class BriefChapter(Brief, BattleChapter):
    pass


class BriefPaper(Brief, BattlePaper):
    pass


class BriefTemperature(Brief, BattleTemperature):
    pass
