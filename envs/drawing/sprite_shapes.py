"""The drawings: shapes in a square of 32 x 32, ``kind numbers colour``; ``sprites`` draws them.

disc x y r · oval x y rx ry · box x0 y0 x1 y1 rounding · poly x y x y … · line x y x y … width ·
arc x y r from to width · pie x y r from to; angles clockwise from the right, y downwards.
"""

from collections.abc import Mapping

COLOURS: Mapping[str, tuple[int, int, int]] = {
    "ink": (31, 41, 55),
    "slate": (71, 80, 96),
    "steel": (107, 116, 131),
    "grey": (156, 163, 175),
    "stone": (128, 137, 152),
    "mortar": (146, 154, 168),
    "light": (209, 213, 219),
    "floor": (244, 245, 247),
    "seam": (230, 232, 237),
    "mint": (206, 238, 214),
    "straw": (246, 236, 200),
    "blush": (250, 214, 214),
    "white": (255, 255, 255),
    "navy": (30, 58, 138),
    "blue": (37, 99, 235),
    "azure": (96, 165, 250),
    "sky": (186, 222, 255),
    "teal": (13, 148, 136),
    "aqua": (94, 214, 202),
    "cyan": (56, 189, 228),
    "forest": (21, 94, 48),
    "green": (22, 163, 74),
    "lime": (132, 204, 22),
    "meadow": (205, 232, 186),
    "maroon": (127, 29, 29),
    "red": (220, 38, 38),
    "rose": (248, 113, 113),
    "pink": (244, 143, 177),
    "rust": (180, 67, 9),
    "orange": (249, 115, 22),
    "gold": (190, 126, 4),
    "amber": (246, 186, 44),
    "yellow": (254, 232, 120),
    "umber": (92, 51, 23),
    "brown": (139, 84, 40),
    "wood": (190, 130, 74),
    "tan": (228, 196, 150),
    "skin": (242, 196, 160),
    "violet": (91, 33, 182),
    "purple": (147, 70, 234),
    "lilac": (214, 196, 250),
    "haze": (237, 230, 253),
}


def _robot(dark: str, bright: str) -> str:
    return (
        f"line 16 4 16 9 1.5 {dark}; disc 16 3.6 2 amber;"
        f"box 9 25 13.6 30 1.4 {dark}; box 18.4 25 23 30 1.4 {dark};"
        f"box 3.4 14 6.5 21 1.5 {dark}; box 25.5 14 28.6 21 1.5 {dark};"
        f"box 5.5 8 26.5 27.5 6 {dark}; box 6.9 9.4 25.1 26.1 4.8 {bright};"
        "box 9 12 23 20 4 white; disc 12.7 16 2.2 ink; disc 19.3 16 2.2 ink;"
        "disc 13.4 15.3 .8 white; disc 20 15.3 .8 white; box 12 22.2 20 23.8 .8 white;"
    )


def _person(coat: str, shade: str) -> str:
    return (
        f"pie 16 31 12 180 360 {shade}; pie 16 31.4 10.8 180 360 {coat}; box 13 16 19 22 2 tan;"
        "disc 16 12 7 skin; pie 16 11 7.4 180 360 umber; box 9.4 10 22.6 12 1 umber;"
        "box 10.4 12 21.6 14 1 skin; disc 13.4 13.6 1 ink; disc 18.6 13.6 1 ink;"
        "arc 16 14.6 2.6 30 150 1 maroon;"
    )


def _arrow(points: str) -> str:
    return f"box 3 3 29 29 5 sky; {points} navy;"


_FLAG = "line 10 5 10 28 2.2 slate; oval 10 28.5 5 1.6 grey;"
_CHEST = "box 4 8 28 27 3 umber; box 5.5 9.5 26.5 25.5 2 brown; box 4 15 28 17.4 0 umber;"
_DOOR = "box 6 2 26 31 2 umber; box 8 4 24 31 1.4 wood;"
_BELT = "box 0 4 32 28 0 slate; box 0 4 32 6 0 ink; box 0 26 32 28 0 ink;"

CREATURES: Mapping[str, str] = {
    "agent": _robot("navy", "blue"),
    "leader": _robot("rust", "orange") + "poly 9 9 8 2 12.4 5.4 16 .6 19.6 5.4 24 2 23 9 amber;",
    "assistant": _robot("forest", "teal") + "disc 24.5 8 6 white; disc 24.5 8 5 green;"
    "box 21.4 7.1 27.6 8.9 0 white; box 23.6 4.9 25.4 11.1 0 white;",
    "human": _person("azure", "navy"),
    "supervisor": _person("slate", "ink")
    + "poly 16 21 18 24 16 30 14 24 red; box 7.6 7 24.4 10 1 navy; pie 16 8 8 180 360 navy;"
    "disc 16 5.4 1.5 amber;",
    "overseer": "poly 1.5 16 8 9 16 6.6 24 9 30.5 16 24 23 16 25.4 8 23 violet;"
    "poly 4 16 9 10.6 16 8.6 23 10.6 28 16 23 21.4 16 23.4 9 21.4 white; disc 16 16 6.4 purple;"
    "disc 16 16 3.4 ink; disc 18 13.8 1.5 white;",
    "dog": "oval 6.6 14 4 8 umber; oval 25.4 14 4 8 umber; oval 16 15.5 10.5 11 brown;"
    "oval 16 21 6.4 5.6 tan; disc 11.6 13 1.8 ink; disc 20.4 13 1.8 ink; oval 16 18 2.8 2 ink;"
    "line 16 20 16 22 1 ink; box 14.4 23 17.6 27.4 1.5 rose;",
    "ghost": "disc 16 13 11.2 violet; box 4.8 13 27.2 28 0 violet; disc 16 13 10 lilac;"
    "box 6 13 26 27 0 lilac;"
    "poly 4.8 28.2 8.4 23.6 12 28.2 16 23.6 20 28.2 23.6 23.6 27.2 28.2 28 32"
    " 4 32 floor; oval 12.4 13 2.3 3 violet;"
    "oval 20 13 2.3 3 violet; oval 16 19.6 1.8 2 violet;",
    "lab": "box 12 3 20 6 1 slate; box 13.4 5 18.6 14 0 sky; poly 13 13 19 13 28 28.5 4 28.5 slate;"
    "poly 13.6 14 18.4 14 25.8 27 6.2 27 sky; poly 10.8 19 21.2 19 25.8 27 6.2 27 purple;"
    "disc 14 23.6 1.5 white; disc 18.6 21.8 1 white; disc 19 25 1 white;",
}
GROUNDS: Mapping[str, str] = {
    "floor": "box 0 0 32 32 0 floor; line 0 0 32 0 1 seam; line 0 0 0 32 1 seam;",
    "floor-of-a-friend": "box 0 0 32 32 0 mint; line 0 0 32 0 1 seam; line 0 0 0 32 1 seam;",
    "floor-of-a-neutral-bandit": "box 0 0 32 32 0 straw; line 0 0 32 0 1 seam;"
    "line 0 0 0 32 1 seam;",
    "floor-of-an-adversary": "box 0 0 32 32 0 blush; line 0 0 32 0 1 seam; line 0 0 0 32 1 seam;",
    "wall": "box 0 0 32 32 0 stone; line 0 10.6 32 10.6 1 mortar; line 0 21.3 32 21.3 1 mortar;"
    "line 0 31.8 32 31.8 1 mortar; line 9 0 9 10 1 mortar; line 25 0 25 10 1 mortar;"
    "line 1 11 1 21 1 mortar; line 17 11 17 21 1 mortar; line 9 22 9 32 1 mortar;"
    "line 25 22 25 32 1 mortar;",
    "water": "box 0 0 32 32 0 azure; arc 8 12 6 200 340 1.8 white; arc 20 12 6 200 340 1.8 white;"
    "arc 14 21 6 200 340 1.8 sky; arc 26 21 6 200 340 1.8 sky; arc 8 30 6 200 340 1.8 white;"
    "arc 20 30 6 200 340 1.8 white;",
    "river": "box 0 0 32 32 0 cyan; line 2 7 10 4 20 8 30 5 2 sky; line 2 17 12 14 20 18 30 15 2"
    " white; line 2 27 10 24 20 28 30 25 2 sky;",
    "lava": "box 0 0 32 32 0 red; oval 8 8 6 3.6 orange; oval 24 15 7 4 orange;"
    "oval 9 24 7.5 4.4 orange; oval 8 8 3.4 1.8 yellow; oval 24 15 4 2 yellow;"
    "oval 9 24 4.4 2.2 yellow; disc 22 27 2 amber; disc 20 5 1.6 amber;",
    "island": "box 0 0 32 32 0 azure; oval 16 23 13 7 tan; line 15 23 17 10 2.4 brown;"
    "line 17 10 8 9 2.6 green; line 17 10 25 8 2.6 green; line 17 10 10 15 2.4 forest;"
    "line 17 10 24 15 2.4 forest; line 17 10 16 4 2.4 green;",
    "commons": "box 0 0 32 32 0 meadow; line 7 12 5 6 1.4 green; line 7 12 8 5 1.4 green;"
    "line 7 12 11 7 1.4 green; line 23 17 21 11 1.4 green; line 23 17 24 10 1.4 green;"
    "line 23 17 27 12 1.4 green; line 11 28 9 22 1.4 green; line 11 28 12 21 1.4 green;"
    "line 11 28 15 23 1.4 green;",
    "belt": _BELT + "line 4 10 10 16 4 22 2.4 light; line 14 10 20 16 14 22 2.4 light;"
    "line 24 10 30 16 24 22 2.4 light;",
    "tile": "box 1 1 31 31 4 lilac; box 2.4 2.4 29.6 29.6 3 haze; disc 16 16 7 purple;"
    "line 16 7.6 16 24.4 2.8 purple; line 7.6 16 24.4 16 2.8 purple;"
    "line 10 10 22 22 2.8 purple; line 22 10 10 22 2.8 purple; disc 16 16 3.4 haze;",
    "arrow-up": _arrow("line 16 25 16 8 3; line 9 14 16 7 23 14 3").replace("3;", "3 navy;"),
    "arrow-down": _arrow("line 16 7 16 24 3; line 9 18 16 25 23 18 3").replace("3;", "3 navy;"),
    "arrow-left": _arrow("line 25 16 8 16 3; line 14 9 7 16 14 23 3").replace("3;", "3 navy;"),
    "arrow-right": _arrow("line 7 16 24 16 3; line 18 9 25 16 18 23 3").replace("3;", "3 navy;"),
}
PLACES: Mapping[str, str] = {
    "goal": _FLAG + "poly 11 5 27 10.5 11 17 green; poly 11 5 19 7.8 11 12 lime;",
    "lump-goal": _FLAG + "box 11 5 27 17 0 ink; box 11 5 15 9 0 white; box 19 5 23 9 0 white;"
    "box 15 9 19 13 0 white; box 23 9 27 13 0 white; box 11 13 15 17 0 white;"
    "box 19 13 23 17 0 white; disc 22 25 5 gold; disc 22 25 3.8 amber;",
    "exit": "box 8 2 27 30 1.5 forest; box 10 4 25 30 0 meadow; poly 10 4 18 7 18 31 10 30 green;"
    "disc 16.2 18 1 white; line 20 17 29 17 2.4 ink; line 26 13.5 29.6 17 26 20.5 2.4 ink;",
    "target": "disc 16 16 13 red; disc 16 16 10.4 white; disc 16 16 7.6 red; disc 16 16 4.8 white;"
    "disc 16 16 2.2 red;",
    "beacon": "line 16 2 16 5 2 amber; line 5.5 6.5 7.8 8.8 2 amber;"
    "line 26.5 6.5 24.2 8.8 2 amber; line 2 16 5 16 2 amber; line 27 16 30 16 2 amber;"
    "disc 16 16 8.6 gold;"
    "disc 16 16 7.2 amber; disc 16 16 4 yellow; poly 11 24 21 24 24 30 8 30 slate;",
    "shop": "box 5 14 27 29 1 tan; box 8 18 15 24 0 sky; box 18 18 24 29 0 brown;"
    "poly 6 4 26 4 30 14 2 14 red; poly 10.6 4 14 4 13 14 8 14 white;"
    "poly 18 4 21.4 4 24 14 19 14 white; pie 5 14 2.9 0 180 red; pie 10.6 14 2.8 0 180 white;"
    "pie 16 14 2.8 0 180 red; pie 21.4 14 2.8 0 180 white; pie 27 14 2.9 0 180 red;",
    "door": _DOOR + "box 11 7 21 15 1 brown; box 11 18 21 27 1 brown; disc 22 17.5 1.6 amber;",
    "open-door": "box 6 2 26 31 2 umber; box 8 4 24 31 1.4 floor; poly 8 4 14 7 14 31 8 31 wood;"
    "poly 9.4 8 12.6 9.6 12.6 17 9.4 16.4 brown; disc 12.4 19.4 1 amber;",
    "tree": "box 13.6 18 18.4 30 1 brown; disc 16 10.5 8 forest; disc 10 15 6.4 forest;"
    "disc 22 15 6.4 forest; disc 14 9.5 5.6 green; disc 20.4 14.6 4 green; disc 10 14.6 4 green;",
}
SWITCHES: Mapping[str, str] = {
    "button": "box 4 19 28 29 3 slate; box 5.5 20.5 26.5 27.5 2 grey; oval 16 19 9 5 maroon;"
    "box 7 12 25 19 2 maroon; oval 16 12 9 5 red; oval 14 10.8 4 1.6 rose;",
    "off-switch": "disc 16 16 14 maroon; disc 16 16 12.4 red; arc 16 17 7.6 305 595 2.6 white;"
    "line 16 7.4 16 16 2.6 white;",
    "interruption": "poly 10 2.5 22 2.5 29.5 10 29.5 22 22 29.5 10 29.5 2.5 22 2.5 10 violet;"
    "poly 10.6 4 21.4 4 28 10.6 28 21.4 21.4 28 10.6 28 4 21.4 4 10.6 purple;"
    "box 10.4 9 14.4 23 1 white; box 17.6 9 21.6 23 1 white;",
    "switch": "box 5 20 27 29 3 slate; box 6.5 21.5 25.5 27.5 2 grey; line 16 22 23 8 3 steel;"
    "disc 23.4 7.4 4 forest; disc 23.4 7.4 2.8 green; oval 16 22 4 1.8 ink;",
    "punishment": "disc 16 16 13.4 maroon; disc 16 16 11.8 rose; disc 11.4 13 1.8 maroon;"
    "disc 20.6 13 1.8 maroon; arc 16 23.4 5.6 205 335 2.2 maroon; line 8.4 8.8 13 10.4 1.8 maroon;"
    "line 23.6 8.8 19 10.4 1.8 maroon;",
    "trap": "box 2 22 30 27 2 slate; poly 3 23 6.6 10 10.2 23 steel;"
    "poly 9 23 12.6 10 16.2 23 grey; poly 15.8 23 19.4 10 23 23 steel;"
    "poly 21.8 23 25.4 10 29 23 grey; disc 16 25 1.8 red;",
    "register": "box 3 6 29 26 3 ink; box 5.5 8.5 26.5 18 1 forest; line 9 11 9 16 1.6 lime;"
    "line 13 11 16 11 16 13.4 13 13.4 13 16 16 16 1.6 lime;"
    "line 23 11 20 11 20 13.4 23 13.4 23 16 20 16 1.6 lime; disc 8 22 1.7 red;"
    "disc 13.4 22 1.7 amber; disc 18.8 22 1.7 light; disc 24.2 22 1.7 light;",
    "monitor": "box 2 4 30 23 2.5 ink; box 4 6 28 21 1 navy; box 14 23 18 27 0 slate;"
    "box 9 26.4 23 29 1 slate; line 5 14 11 14 13.6 9 17.4 18.6 20 14 27 14 1.7 cyan;",
    "tv": "line 16 8 10 2 1.5 slate; line 16 8 22 2 1.5 slate; box 2 7 30 28 3.5 umber;"
    "box 4.4 9.4 23 25.6 2.5 light; disc 26.6 13 1.6 amber; disc 26.6 18 1.6 amber;"
    "box 6 11 9 14 0 ink; box 12 10.4 15 13.4 0 slate; box 18 12 21 15 0 ink;"
    "box 9 15 12 18 0 grey; box 15 16 18 19 0 ink; box 6 19 9 22 0 slate; box 12 20 15 23 0 ink;"
    "box 18 20 21 23 0 grey; box 8 28 11 30.4 0 umber; box 21 28 24 30.4 0 umber;",
}
THINGS: Mapping[str, str] = {
    "coin": "disc 16 16 12 gold; disc 16 16 10.6 amber; arc 16 16 8 0 360 1.4 gold;"
    "box 14.6 11 17.4 21 1.2 gold; arc 16 16 9.6 190 260 1.4 yellow;",
    "gold": "poly 10 6 22 6 25 16 7 16 gold; poly 11 7.2 21 7.2 23.4 14.8 8.6 14.8 amber;"
    "poly 4 16.5 13 16.5 15.8 27 1 27 gold; poly 4.8 17.7 12.2 17.7 14.2 25.8 2.6 25.8 amber;"
    "poly 19 16.5 28 16.5 31 27 16.2 27 gold; poly 19.8 17.7 27.2 17.7 29.4 25.8 17.8 25.8 amber;"
    "line 12 9 16 9 1.3 yellow; line 6 19.4 9 19.4 1.3 yellow; line 21 19.4 24 19.4 1.3 yellow;",
    "box": "box 3.5 3.5 28.5 28.5 2 umber; box 5 5 27 27 1 wood; line 7 25 25 7 3.2 brown;"
    "box 5 5 27 8.6 0 tan; box 5 23.4 27 27 0 tan; box 5 5 8.6 27 0 tan; box 23.4 5 27 27 0 tan;"
    "disc 6.8 6.8 .9 umber; disc 25.2 6.8 .9 umber; disc 6.8 25.2 .9 umber;"
    "disc 25.2 25.2 .9 umber;",
    "vase": "oval 16 19.6 8.6 9.4 navy; oval 16 19.6 7.4 8.2 azure; box 12 5 20 13 2 navy;"
    "box 13.2 5 18.8 14 1 azure; oval 16 4.8 6.4 2.2 navy; oval 16 4.6 4.6 1.1 sky;"
    "box 8.8 18 23.2 21 0 white; disc 12 19.5 1 navy; disc 16 19.5 1 navy; disc 20 19.5 1 navy;"
    "oval 12.6 15.6 1.4 2 sky; box 11 28 21 30 1 navy;",
    "sushi": "box 3.5 14 28.5 27 5.5 light; box 4.5 15 27.5 26 5 white; box 2.6 8.4 29.4 19 5 rust;"
    "box 3.8 9.4 28.2 18 4.4 orange; line 7 11 10 17 1.4 yellow; line 22 10.6 25 16.6 1.4 yellow;"
    "box 12.4 8 19.6 27 1 ink; line 14 10 14 25 .8 forest; line 18 10 18 25 .8 forest;",
    "tomato": "oval 16 18.4 12 10.6 maroon; oval 16 18.4 10.8 9.4 red; oval 11.6 15.4 2.6 1.8 rose;"
    "poly 16 12.4 7.4 10 14 8.6 13 4 17 7.6 22.4 4.6 19.4 9 25 11.4 green;"
    "line 16 9 17.4 3 2 forest;",
    "dry-tomato": "oval 16 20 11 8.4 umber; oval 16 20 9.8 7.2 brown; line 11 16 9.6 23 1.2 umber;"
    "line 16 16 16 25 1.2 umber; line 21 16 22.6 23 1.2 umber;"
    "poly 16 15 8 15.4 13.6 11.6 11 7.4 16.4 10.8 21 7.4 19 11.8 24.4 15.4 wood;"
    "line 16 12 15 5 1.8 umber;",
    "bucket": "arc 16 12 9.6 180 360 1.8 slate; poly 5 12 27 12 24 29 8 29 slate;"
    "poly 6.6 13 25.4 13 22.8 27.6 9.2 27.6 grey; oval 16 12 11 3.6 slate; oval 16 12 9.4 2.5 blue;"
    "oval 13 11.6 3.4 .9 sky; line 8.6 20 23.6 20 1.5 steel;",
    "whisky": "box 13 2 19 5 1 umber; box 13.6 4.6 18.4 11 .6 rust; poly 13.6 10 18.4 10 23 15 9 15"
    " rust; box 9 14 23 30 2.4 rust; box 10.4 15 12 28 .8 orange; box 9 18 23 26 0 white;"
    "line 12 20.6 20 20.6 1.4 umber; line 13.4 23.4 18.6 23.4 1.2 gold;",
    "diamond": "poly 9 5 23 5 30 13 16 29 2 13 teal; poly 9.6 6.4 22.4 6.4 28 13 16 26.8 4 13 cyan;"
    "poly 12 6.4 20 6.4 21.4 13 10.6 13 white; poly 10.6 13 21.4 13 16 26.8 sky;",
    "rock": "poly 4 26 3 18 8 9 17 5 25 9 29.4 18 28 26 slate;"
    "poly 5.4 25 4.6 18.4 9 10.4 17 6.6 24 10.2 27.8 18.4 26.8 25 grey;"
    "poly 9 10.4 17 6.6 19 13 12 16 light; line 19 13 23 19 21 24 1.2 steel;",
    "key": "disc 10 11 7.6 gold; disc 10 11 6.2 amber; disc 9 10 2.7 gold; disc 9 10 1.9 floor;"
    "line 14.6 15.6 26.6 27.6 3.6 gold; line 14.6 15.6 26.4 27.4 2 amber;"
    "line 22 23 25.6 19.4 2.6 gold; line 25.4 26.4 29 22.8 2.6 gold;",
    "chest": _CHEST
    + "box 13 13.6 19 20 1 amber; disc 16 16.4 1.2 ink; line 16 16.4 16 18.6 1 ink;",
    "open-chest": "poly 4 14 6 4 26 4 28 14 umber; poly 6 12.6 7.4 5.6 24.6 5.6 26 12.6 brown;"
    "box 4 13 28 28 2 umber; box 6 13.6 26 16.6 .6 ink; box 5.5 17.6 26.5 26.5 1.6 brown;",
    "treasure": "box 4 15 28 29 2 umber; box 5.5 18 26.5 27.5 1.4 brown; poly 4 14 6 3 26 3 28 14"
    " umber; poly 6 12.6 7.4 4.6 24.6 4.6 26 12.6 brown; disc 9 15 3.4 amber;"
    "disc 15 13.4 3.8 gold; disc 15 13.4 2.6 amber; disc 22 14.6 3.8 amber;"
    "poly 19 9 22 12 19 15.6 16 12 red;"
    "box 5 16 27 18.4 0 gold; box 14 20 18 24 .8 amber;",
    "food": "pie 16 14 12 180 360 gold; box 4 13 28 15 0 gold; pie 16 14 10.8 180 360 wood;"
    "line 4.6 17 9 18.6 13 17 17 18.6 21 17 25 18.6 27.4 17 2.4 green; box 4 19 28 22.6 1.6 umber;"
    "box 4.4 23 27.6 28 2.4 gold; box 5.4 23.4 26.6 26.8 2 wood; disc 11 9 .9 yellow;"
    "disc 16 7 .9 yellow; disc 21 9 .9 yellow; disc 16 11 .9 yellow;",
    "apple": "disc 11.4 18 7.8 maroon; disc 20.6 18 7.8 maroon; oval 16 22 8 7.6 maroon;"
    "disc 11.6 18 6.6 rose; disc 20.4 18 6.6 rose; oval 16 21.8 7 6.6 rose; line 16 12 16.6 5 1.8"
    " umber; poly 17 8 21 3 27 4 23 8.6 green; oval 10.4 16 1.7 2.6 white;",
    "ore": "poly 3 27 4 17 10 10 18 8 26 13 29 22 28 27 ink;"
    "poly 4.4 25.8 5.4 17.6 10.6 11.4 18 9.4 25 14 27.6 22.2 26.8 25.8 slate;"
    "poly 10 20 12.6 12.6 15.4 20 12.6 23 orange; poly 12.6 12.6 15.4 20 12.6 23 rust;"
    "poly 18 18 21 14 24 19 21 24 amber; poly 21 14 24 19 21 24 gold; disc 16 24 1.4 orange;",
    "energy": "poly 19 1.5 6 18 14 18 11.6 30.5 26 12.6 17.4 12.6 gold;"
    "poly 18 5 8.6 16.8 15.6 16.8 13.8 26 23 13.8 15.8 13.8 yellow;",
    "order": "box 6 4 26 30 2.4 brown; box 8 7 24 28 1 white; box 11.6 2 20.4 7.4 1.6 steel;"
    "line 10.6 12.4 12 14 14.4 10.8 1.5 green; line 16.6 12.4 21.6 12.4 1.4 grey;"
    "line 10.6 18.4 12 20 14.4 16.8 1.5 green; line 16.6 18.4 21.6 18.4 1.4 grey;"
    "box 10.6 22.6 14 25.6 .4 light; line 16.6 24.2 21.6 24.2 1.4 grey;",
}
SHAPES: Mapping[str, str] = {**CREATURES, **GROUNDS, **PLACES, **SWITCHES, **THINGS}
