"""The words and sentences of the population: our own list, which must not change, as the population hangs on it."""

from __future__ import annotations

from mattermost_load_test.sampling import Draw, below, choice

_WORD_LIST = """
acorn alder amber anchor apple april apron arbor arch aspen attic autumn badge bagel baker balcony bamboo banner
barley barn basil basket bay beach bean bell bench berry birch bird bloom blue boat bonnet book boot bottle bowl
branch brass bread brick bridge bright brook brush bucket butter button cabin cable calm camel candle canoe canvas
canyon card carrot castle cedar cello chain chair chalk cherry chess chest circle clay clear cliff clock cloud clover
coal coast cobalt comet copper coral corn cotton couch crane creek cricket crisp crown crystal cup curtain daisy dawn
deep deer delta desert dew dock dome door dove dragon drum dune dusk eagle early east easy echo elm ember evening fair
falcon farm feather fern field fig finch fjord flag flint flute fog forest fountain fox fresh frost garden garlic
gentle ginger glacier glass globe gold grain grape grass gravel green grove guitar gull hammer harbor harp harvest
hazel heron hill hollow honey horizon horn house ice indigo iris iron island ivory ivy jacket jade jar jasmine jolly
juniper kettle key kind kite kiwi ladder lagoon lake lamp lantern lark laurel lava leaf ledge lemon light lilac lily
lime linen lion little lotus lunar lynx maple marble marsh meadow melon mill mint mirror misty moon morning moss
mountain mulberry nectar needle nest nickel night noble noon north nutmeg oak oasis oat ocean olive onyx opal orange
orchard otter owl paddle palm paper path peach pear pearl pebble pepper piano pine planet plum pocket polar pond poppy
prairie quartz quick quiet quill rain raven reed ribbon rice ridge ripple river robin rocket root rose ruby rustic
saddle saffron sage sail salt sand sapphire scarf sea season seed shadow shell shore silent silver sky slate snow soft
sparrow spice spring spruce star steady steel stone storm stream summer sunny swan swift table tea thistle thunder
tidal tiger timber topaz tower trail tulip tundra turtle valley velvet violet walnut warm water wave west wheat
whisper wild willow wind window winter wood wren yarrow yellow zephyr zinc
"""
WORDS = tuple(_WORD_LIST.split())


def words(count: int, draw: Draw) -> list[str]:
    """Return `count` words, repeats possible."""
    return [choice(WORDS, draw) for _ in range(count)]


def sentence(draw: Draw) -> str:
    """Return a sentence of four to ten words."""
    text = " ".join(words(4 + below(7, draw), draw))
    return text.capitalize() + choice(".....!?", draw)
