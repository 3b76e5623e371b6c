"""A small world to learn from: a corpus made on the spot, with nothing to download.

The corpus is synthetic: a seeded generator fills patterns from the tables of this file. The tables are true;
the persons and villages are made up, and thin out by Zipf's law as the words of real text do. No sentence
states an analogy: vectors learn them from the company that words keep. `paris` shares its dishes and its
people with `france`, and mayors, suburbs and airports with `rome`.
"""

from __future__ import annotations

from bisect import bisect
from itertools import accumulate, pairwise, product
from random import Random
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    Row: TypeAlias = Mapping[str, Sequence[str]]  # slot of a pattern -> the phrases that may stand there
    Pairs: TypeAlias = tuple[tuple[str, str], ...]


class Topic(NamedTuple):
    """What a share of the sentences speak of: any pattern, filled from any one row."""

    share: float
    patterns: Sequence[str]
    rows: Sequence[Row]


def sentences(count: int = 200_000, seed: int = 1) -> Iterator[list[str]]:
    """`count` sentences as lists of lower-case tokens, some ten each; the same ones for the same `seed`."""
    random = Random(seed).random
    filler = _Filler(random)
    bounds = list(accumulate(topic.share for topic in TOPICS))
    for _ in range(count):
        topic = TOPICS[bisect(bounds, random() * bounds[-1], hi=len(TOPICS) - 1)]
        filler.row = topic.rows[int(random() * len(topic.rows))]
        pattern = topic.patterns[int(random() * len(topic.patterns))]
        yield pattern.format_map(filler).split()


class _Filler:
    """Draws the phrase for each slot: from the current row, all alike, or from `COMMON`, by Zipf's law."""

    def __init__(self, random: Callable[[], float]) -> None:
        self._random = random
        self._ranked = {slot: sorted(phrases, key=lambda _: random()) for slot, phrases in COMMON.items()}
        self.row: Row = {}

    def __getitem__(self, slot: str) -> str:
        phrases = self.row.get(slot)
        if phrases is not None:
            return phrases[int(self._random() * len(phrases))]
        phrases = self._ranked[slot]
        return phrases[int((len(phrases) + 1) ** self._random()) - 1]  # rank r has a share of about 1 / r


def _table(text: str, *columns: str) -> tuple[Row, ...]:
    """Rows of a table: a line each, cells between bars, alternatives within a cell between commas."""
    cells = ([cell.split(",") for cell in line.split("|")] for line in text.strip().splitlines())
    return tuple(
        {name: tuple(each.strip() for each in cell) for name, cell in zip(columns, row, strict=True)} for row in cells
    )


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


def _lines(text: str) -> tuple[str, ...]:
    return tuple(line.strip() for line in text.strip().splitlines())


def _compounds(firsts: str, lasts: str) -> tuple[str, ...]:
    return tuple(first + last for first, last in product(firsts.split(), lasts.split()))


# ---- countries -------------------------------------------------------------------------------------------

COUNTRIES = _table(
    """
    france | paris | french | provence | louvre | crepes | euro
    italy | rome | italian | tuscany | colosseum | pasta | euro
    spain | madrid | spanish | andalusia | prado | paella | euro
    germany | berlin | german | bavaria | reichstag | pretzels | euro
    england | london | english | cornwall | thames | scones | pound
    portugal | lisbon | portuguese | algarve | tagus | sardines | euro
    greece | athens | greek | crete | parthenon | moussaka | euro
    austria | vienna | austrian | tyrol | hofburg | strudel | euro
    poland | warsaw | polish | silesia | vistula | pierogi | zloty
    russia | moscow | russian | siberia | kremlin | blini | rouble
    japan | tokyo | japanese | hokkaido | sumida | sushi | yen
    china | beijing | chinese | sichuan | hutongs | noodles | yuan
    india | delhi | indian | kerala | yamuna | curry | rupee
    egypt | cairo | egyptian | sinai | nile | koshari | pound
    turkey | ankara | turkish | anatolia | anitkabir | baklava | lira
    sweden | stockholm | swedish | gotland | skansen | meatballs | krona
    norway | oslo | norwegian | lofoten | akerselva | lutefisk | krone
    finland | helsinki | finnish | lapland | suomenlinna | kalakukko | euro
    denmark | copenhagen | danish | jutland | tivoli | smorrebrod | krone
    ireland | dublin | irish | connemara | liffey | colcannon | euro
    scotland | edinburgh | scottish | skye | holyrood | haggis | pound
    hungary | budapest | hungarian | puszta | danube | goulash | forint
    czechia | prague | czech | moravia | vltava | knedliky | koruna
    ukraine | kyiv | ukrainian | podolia | dnipro | varenyky | hryvnia
    switzerland | bern | swiss | valais | aare | fondue | franc
    belgium | brussels | belgian | flanders | atomium | waffles | euro
    canada | ottawa | canadian | yukon | rideau | poutine | dollar
    cuba | havana | cuban | vinales | malecon | tostones | peso
    peru | lima | peruvian | cusco | miraflores | ceviche | sol
    chile | santiago | chilean | atacama | mapocho | empanadas | peso
    kenya | nairobi | kenyan | laikipia | karura | ugali | shilling
    thailand | bangkok | thai | isan | chatuchak | larb | baht
    korea | seoul | korean | jeju | namsan | kimchi | won
    morocco | rabat | moroccan | rif | bouregreg | tagine | dirham
    iran | tehran | iranian | khorasan | tajrish | fesenjan | rial
    """,
    *("country", "capital", "people", "region", "sight", "food", "currency"),
)

ABOUT_COUNTRIES = _lines("""
    {capital} is the capital of {country} and the {sight} is its pride
    the capital of {country} is {capital} where {people} politicians meet
    the government of {country} sent the {people} minister to {region}
    the borders of {country} and the hills of {region} are on the map
    the flag of {country} waved above the {people} troops in {region}
    the population of {country} grew and so did that of {region}
    {country} is known for {food} and its neighbours for other things
    {country} signed the treaty and the {people} army celebrated
    the {people} laws hold in all of {country} and also in {region}
    the provinces of {country} and above all {region} love {food}
    farmers in {country} grow what the {people} need for {food}
    they crossed the frontier into {country} and ate {food} in {region}
    the economy of {country} rests on the {currency} and on {people} exports
    the mayor of {capital} opened a bridge near the {sight}
    the streets of {capital} smell of {food} after dusk
    the buses of {capital} stop at the {sight} every ten minutes
    we landed at {capital} airport and took a taxi to the {sight}
    a flat in the suburbs of {capital} costs many a {currency}
    the hotels of {capital} serve {food} and other {people} dishes
    in downtown {capital} the {people} tourists photograph the {sight}
    the {people} museum in {capital} stands close to the {sight}
    rush hour in {capital} brings {people} commuters past the {sight}
    the {people} accent of mrs {surname} comes from her years abroad
    the {people} dictionary and the {people} atlas lay beside the {thing}
    the {people} poet whom {name} translated came from {region}
    {name} got the recipe for {food} from the {people} cook
    the {people} dream of {region} and of {food} with love
    every {people} bank takes the {currency} and so does {name}
""")

# ---- people ----------------------------------------------------------------------------------------------

PEOPLE = _table(
    """
    man | woman | waited at the bus stop, stood in the crowd, asked a stranger for directions
    king | queen | sat on the throne, wore the golden crown, ruled the kingdom, reigned for forty years
    prince | princess | lived in the castle turret, was next in line, awaited the coronation, lived at court
    boy | girl | did the homework, played with toys, skipped school, chased the ball in the playground
    father | mother | read a bedtime story, brought up three children, packed the lunch boxes
    brother | sister | shared a bedroom with the twins, teased the siblings, argued over the bicycle
    son | daughter | moved out at eighteen, inherited the farm, made both parents proud
    husband | wife | forgot the wedding anniversary, promised to be faithful, signed the marriage papers
    uncle | aunt | visited at christmas, spoiled the cousins, sent a birthday parcel
    nephew | niece | came for the summer holidays, wrote a thank you card, was taken to the circus
    grandfather | grandmother | dozed in the rocking chair, looked for the spectacles, told tales of long ago
    actor | actress | rehearsed the script, bowed to the audience, starred in the film, stepped on stage
    waiter | waitress | brought the menu, carried a tray, cleared the tables, took the order
    duke | duchess | owned the county, leased the manor, opened the horse show
    emperor | empress | conquered the provinces, founded the dynasty, commanded the legions
    hero | heroine | escaped in the last chapter, saved the village from the dragon, outwitted the villain
    monk | nun | prayed in the cloister, took a vow of silence, kept the monastery garden
    wizard | witch | cast a spell, stirred the cauldron, brewed a magic potion
    landlord | landlady | raised the rent, let the upper room, warned the tenants
    host | hostess | welcomed the guests, poured the wine, gave a splendid party
    policeman | policewoman | arrested the burglar, patrolled the district, blew the whistle
    """,
    *("he", "she", "deed"),
)

MALE: Row = {
    "they": ("he",),
    "their": ("his",),
    "them": ("him",),
    "self": ("himself",),
    "look": ("beard", "moustache", "necktie", "waistcoat", "sideburns"),
    "called": ("john", "george", "henry", "peter", "thomas", "edward", "arthur", "walter"),
    "title": ("sir", "mister", "gentleman"),
}
FEMALE: Row = {
    "they": ("she",),
    "their": ("her",),
    "them": ("her",),
    "self": ("herself",),
    "look": ("gown", "necklace", "skirt", "earrings", "bonnet"),
    "called": ("mary", "alice", "emma", "clara", "helen", "agnes", "edith", "martha"),
    "title": ("madam", "lady", "miss"),
}

ABOUT_PEOPLE = _lines("""
    the {person} {deed} and {they} smiled to {self}
    {they} was the {person} who {deed}
    the {person} in {their} {look} {deed}
    {their} {look} suited the {person} who {deed}
    {called} the {person} {deed} near {village}
    the {person} {called} {deed} and straightened {their} {look}
    welcome {title} said the {person} called {called}
    the {person} {deed} by {self} while {their} {look} got wet
    {name} saw how the {person} {deed} and greeted {them}
    any {title} like the {person} knows what {they} wants
    {called} {surname} was the {person} who {deed}
    when the {person} {deed} {they} wore {their} best {look}
""")

# ---- verbs -----------------------------------------------------------------------------------------------

VERBS = _table(
    """
    walk | walks | walked | walking | along the path, through the park, down the lane
    swim | swims | swam | swimming | across the lake, in the pool, under the waves
    run | runs | ran | running | around the track, in the marathon, after the tram
    sing | sings | sang | singing | in the choir, an old ballad, a cheerful melody
    dance | dances | danced | dancing | a waltz, to the fiddle, on tiptoe
    write | writes | wrote | writing | a letter, in the diary, with a fountain pen
    cook | cooks | cooked | cooking | a pot of soup, in the kitchen, a hearty stew
    bake | bakes | baked | baking | a loaf of bread, in the oven, a cherry pie
    drive | drives | drove | driving | a lorry, along the motorway, a yellow taxi
    ride | rides | rode | riding | a rusty bicycle, in the saddle, a brown pony
    fly | flies | flew | flying | an aeroplane, over the clouds, a paper kite
    sail | sails | sailed | sailing | a yacht, towards the harbour, before the wind
    climb | climbs | climbed | climbing | the cliff, up a ladder, the mountain
    dig | digs | dug | digging | a trench, with a spade, in the sand
    draw | draws | drew | drawing | a sketch, with a pencil, on squared paper
    paint | paints | painted | painting | a portrait, with a brush, on canvas
    sleep | sleeps | slept | sleeping | on a pillow, under the blanket, in the bunk
    eat | eats | ate | eating | a bowl of porridge, a pear, with a fork
    drink | drinks | drank | drinking | a cup of tea, lemonade, from the jug
    speak | speaks | spoke | speaking | at the meeting, into the microphone, with an accent
    teach | teaches | taught | teaching | a class of pupils, arithmetic, spelling and grammar
    sell | sells | sold | selling | flowers at the stall, second hand books, raffle tickets
    throw | throws | threw | throwing | a dart, the ball over the fence, the dice
    catch | catches | caught | catching | a trout, with a net, the last train
    build | builds | built | building | a brick wall, a timber hut, a shed
    sew | sews | sewed | sewing | a button on the shirt, with needle and thread, a hem
    knit | knits | knitted | knitting | a woollen scarf, a pair of mittens, a cardigan
    hunt | hunts | hunted | hunting | wild boar, with bow and arrow, for pheasants
    plant | plants | planted | planting | a row of tulips, seeds, cabbages
    sweep | sweeps | swept | sweeping | the floor, with a broom, the dead leaves
    wash | washes | washed | washing | the dishes, with soap, the laundry
    jump | jumps | jumped | jumping | over the puddle, from the springboard, for joy
    fight | fights | fought | fighting | in the battle, with a sword, against the invaders
    laugh | laughs | laughed | laughing | at the clown, at the joke, out loud
    whisper | whispers | whispered | whispering | a secret, in the ear, behind a fan
    count | counts | counted | counting | the coins, up to a hundred, the votes
    steal | steals | stole | stealing | the jewels, from the till, a purse
    hide | hides | hid | hiding | behind the curtain, in the cellar, under the stairs
    break | breaks | broke | breaking | the window pane, a porcelain vase, the seal
    ring | rings | rang | ringing | the bell, at the door, the alarm
    carve | carves | carved | carving | a wooden spoon, in oak, initials into the bark
    weave | weaves | wove | weaving | a carpet, baskets of willow, at the loom
    dive | dives | dived | diving | for pearls, to the wreck, from the pier
    mend | mends | mended | mending | the roof, a torn sack, the nets
    """,
    *("base", "third", "past", "going", "object"),
)

ABOUT_VERBS = _lines("""
    yesterday {name} {past} {object} before the {thing} came
    last week the {job} {past} {object} in {village}
    two days ago mr {surname} {past} {object}
    once upon a time they {past} {object} and went home
    {name} {past} {object} yesterday and then rested
    mrs {surname} already {past} {object} last year
    the {job} is {going} {object} at the moment
    {name} was {going} {object} when the rain began
    they are still {going} {object} near {village}
    mrs {surname} keeps {going} {object}
    {name} enjoys {going} {object} more than anything
    tomorrow {name} will {base} {object}
    they want to {base} {object} in {village}
    the {job} can {base} {object} if you let us
    we must {base} {object} said mr {surname}
    let us {base} {object} with the {job}
    every day {name} {third} {object}
    the {job} often {third} {object} before work
    on sundays mr {surname} usually {third} {object}
    {name} never {third} {object} without the {thing}
    mrs {surname} always {third} {object} after lunch
""")

# ---- adjectives ------------------------------------------------------------------------------------------

ADJECTIVES = _table(
    """
    tall | taller | tallest | tower, spire, poplar
    cold | colder | coldest | winter, frost, glacier
    hot | hotter | hottest | desert, furnace, august
    fast | faster | fastest | racehorse, express, cheetah
    slow | slower | slowest | snail, tortoise, barge
    strong | stronger | strongest | wrestler, ox, cable
    weak | weaker | weakest | signal, heartbeat, excuse
    heavy | heavier | heaviest | anvil, boulder, trunk
    light | lighter | lightest | feather, balloon, silk
    old | older | oldest | ruin, manuscript, fossil
    rich | richer | richest | banker, merchant, heiress
    poor | poorer | poorest | beggar, orphan, shepherd
    bright | brighter | brightest | lantern, star, comet
    dark | darker | darkest | cave, dungeon, tunnel
    deep | deeper | deepest | ocean, canyon, crater
    wide | wider | widest | avenue, valley, estuary
    narrow | narrower | narrowest | alley, passage, staircase
    sharp | sharper | sharpest | razor, thorn, blade
    soft | softer | softest | cushion, velvet, moss
    loud | louder | loudest | trumpet, thunder, drum
    quiet | quieter | quietest | library, chapel, reading room
    sweet | sweeter | sweetest | honey, syrup, nougat
    clean | cleaner | cleanest | linen, hospital, laboratory
    happy | happier | happiest | carnival, reunion, birthday
    sad | sadder | saddest | funeral, elegy, farewell
    clever | cleverer | cleverest | detective, inventor, riddle
    brave | braver | bravest | firefighter, explorer, rescuer
    kind | kinder | kindest | nurse, neighbour, gesture
    large | larger | largest | stadium, warehouse, continent
    small | smaller | smallest | pebble, thimble, atom
    long | longer | longest | corridor, queue, sermon
    thick | thicker | thickest | fog, hedge, encyclopedia
    cheap | cheaper | cheapest | ticket, souvenir, lodging
    fresh | fresher | freshest | lettuce, mackerel, breeze
    good | better | best | idea, doctor, advice
    bad | worse | worst | storm, flu, headache
    """,
    *("plain", "more", "most", "noun"),
)

ABOUT_ADJECTIVES = _lines("""
    the {noun} in {village} is very {plain} indeed
    the same {plain} {noun} is rather {plain} for mr {surname}
    the {noun} was so {plain} that {name} stared
    this {plain} {noun} is quite {plain} said the {job}
    how {plain} the {noun} looked from {village}
    this {noun} is {more} than that {noun} by far
    the {noun} grew {more} and {more} until {name} left
    one {noun} is much {more} than the {noun} of mrs {surname}
    no {noun} could be {more} than the {noun} of {village}
    even {more} than the {noun} was the {thing} of the {job}
    it was the {most} {noun} in the whole world
    the {most} {noun} of all belongs to {village}
    one of the {most} {noun} stories ever told by {name}
    the {noun} in {village} is the {most} of them all
    the second {most} {noun} ever seen by mrs {surname}
""")

# ---- animals ---------------------------------------------------------------------------------------------

ANIMALS = _table(
    """
    dog | puppy | wagged its tail, chewed a bone, pulled at the leash | kennel
    cat | kitten | purred, licked its whiskers, scratched the sofa | windowsill
    cow | calf | mooed, stood in the clover, wore a cowbell | byre
    horse | foal | neighed, galloped, shook its mane | stable
    sheep | lamb | bleated, had a woolly fleece, trotted after the flock | sheepfold
    goat | kid | butted the gate, nibbled the shrub, scaled the rocks | hillside
    pig | piglet | grunted, wallowed in mud, rooted for acorns | sty
    hen | chick | pecked at the grain, flapped in the straw, sat on the perch | coop
    duck | duckling | paddled, shook its webbed feet, dabbled in the reeds | pond
    goose | gosling | waddled in line, nibbled dandelions, grazed on the common | meadow
    swan | cygnet | glided on the river, stretched its slender neck, upended for waterweed | lakeside
    lion | cub | snarled, stretched its paws, dozed with the pride | savanna
    deer | fawn | browsed on twigs, stood in the bracken, leapt a log | thicket
    eagle | eaglet | screeched from the crag, hooked its talons, opened its curved beak | eyrie
    owl | owlet | blinked at nightfall, swivelled its head, swallowed a vole | barn
    kangaroo | joey | hopped, bounded over the scrub, nibbled the spinifex | outback
    hare | leveret | zigzagged, pricked its ears, crouched in the furrow | stubble
    seal | pup | basked on the floe, clapped its flippers, splashed in the surf | icefield
    frog | tadpole | wriggled in the algae, rested under the duckweed, stirred the silt | swamp
    butterfly | caterpillar | rested on the buddleia, clung to the nettles, matched the foliage | greenhouse
    salmon | smolt | passed the rapids, gleamed below the weir, darted upstream | brook
    spider | spiderling | dangled from a thread, waited in its web, trapped a gnat | attic
    """,
    *("adult", "young", "habit", "home"),
)

ABOUT_ANIMALS = _lines("""
    the {adult} {habit} near the {home} of {village}
    a fully grown {adult} {habit} in the {home}
    the mighty {adult} {habit} while the {job} watched
    the ranger tracked an adult {adult} to the {home}
    the {home} is where the {adult} {habit} all year
    {name} photographed the grown {adult} that {habit}
    the tiny {young} {habit} beside its siblings
    the newborn {young} {habit} and fell asleep in the {home}
    the little {young} wobbled to the {home} and {habit}
    the orphaned {young} {habit} when {name} fed it
    a baby {young} only weeks of age {habit}
    the {home} sheltered the helpless {young} that {habit}
""")

# ---- all the rest ----------------------------------------------------------------------------------------

COMMON: Row = {
    "name": _words("""
        alex robin sam charlie jamie morgan riley casey jordan taylor avery quinn skyler finley emery reese
        harper sage blake kerry leslie marion sidney vivian robbie devon shannon dana jessie lindsay
    """),
    "surname": _compounds(
        """
        alder arm bald bar bea blen brad brand brink carl cas chad clay col crank craw crom dag den don
        dray dun elling elm fair farn fel gart gil gold graves gren had hal hark hay hol hux jar kell ken
        lang led lock mal mar mil nor oak os pem pell quar rad ret ros rush sand shel sim stan sto tem
        thorn wad wal whit win wood
        """,
        """
        bridge burn by cott croft den dale ell er gate house land low man more rick ridge shaw son stead
        wall well
        """,
    ),
    "village": _compounds(
        """
        abbots alders apple ash badger barley barn beck berry birch bishops bram briar broad chalk chapel
        cherry clear corn crow curlew damson dove elder ember fern finch flax fox frog gorse grange green
        hare hart hazel heather heron high hive holly honey hop ivy kestrel kings lark lin linnet maple
        marsh mill moss nut osier otter pine plum raven reed robin rose rye sedge sorrel stone swift
        teasel thistle vine willow wren yarrow
        """,
        """
        ash bourne bury combe cote field ford ham hampton hill hurst ley mere minster over stoke thorpe
        ton wick worth
        """,
    ),
    "job": _words("""
        baker farmer teacher painter butcher tailor plumber miller chemist gardener librarian carpenter
        blacksmith grocer postman clerk lawyer surgeon driver cobbler weaver sailor printer gamekeeper mason
        editor barber organist dentist engineer porter ferryman piper cooper potter glazier saddler
        innkeeper judge optician florist joiner fisherman thatcher bookseller archivist astronomer beekeeper
        brewer chauffeur curator
    """),
    "thing": _words("""
        table cupboard candle kettle blanket umbrella mirror newspaper basket hammer bucket bottle suitcase
        clock piano telescope wardrobe stove lamp drawer notebook calendar compass hammock barrel
        wheelbarrow teapot thermometer typewriter envelope parcel saucepan chisel lawnmower doormat
        bookshelf camera radio armchair sideboard toolbox magnet whisk sieve corkscrew padlock rucksack tent
        torch trowel easel globe gramophone hourglass inkwell jigsaw ladle microscope napkin parasol quilt
        ruler scissors stapler tripod vase
    """),
    "place": _words("""
        market station church square bakery library museum theatre harbour bridge factory school hospital
        garden orchard cafe pharmacy workshop bank lighthouse tavern forge quarry vineyard allotment
        boathouse
    """),
    "time": _lines("""
        in the morning
        on monday
        after the holidays
        late in the evening
        at noon
        in early spring
        on market day
        towards the end of october
        during the first week of may
        once the shops had closed
    """),
    "weather": _words("rain snow hail mist drizzle sunshine sleet wind showers haze"),
}

ABOUT_LIFE = _lines("""
    the {job} bought the {thing} at the {place} {time}
    mr {surname} of {village} lost the {thing} {time}
    {name} {surname} and the {job} met at the {place} in {village}
    there was {weather} over {village} and {weather} over {village} {time}
    the {place} in {village} has been closed since {time} says mrs {surname}
    somebody left the {thing} and the {thing} outside the {place}
    the road from {village} to {village} passes the {place}
    mrs {surname} asked the {job} whether the {thing} was for sale
    {name} put the {thing} next to the {thing} and waited
    the committee of {village} elected the {job} {name} {surname} {time}
    because of the {weather} the fair in {village} was put off
    the {job} from {village} repaired the {thing} of mr {surname}
    according to {surname} and {surname} the {thing} is out of fashion
    the {job} and the {job} could not agree about the {place}
""")


def _persons() -> tuple[Row, ...]:
    """A row for each man and each woman of `PEOPLE`: what they do, and how one speaks of them."""
    return tuple(
        {"person": row[sex], "deed": row["deed"], **company}
        for row in PEOPLE
        for sex, company in (("he", MALE), ("she", FEMALE))
    )


TOPICS = (
    Topic(0.22, ABOUT_COUNTRIES, COUNTRIES),
    Topic(0.19, ABOUT_PEOPLE, _persons()),
    Topic(0.24, ABOUT_VERBS, VERBS),
    Topic(0.15, ABOUT_ADJECTIVES, ADJECTIVES),
    Topic(0.08, ABOUT_ANIMALS, ANIMALS),
    Topic(0.12, ABOUT_LIFE, ({},)),
)


# ---- what the vectors should have learned ----------------------------------------------------------------


def _pairs(rows: Sequence[Row], first: str, second: str) -> Pairs:
    return tuple((row[first][0], row[second][0]) for row in rows)


RELATIONS: Mapping[tuple[str, str], Pairs] = {
    ("male", "female"): _pairs(PEOPLE, "he", "she"),
    ("country", "capital"): _pairs(COUNTRIES, "country", "capital"),
    ("country", "people"): _pairs(COUNTRIES, "country", "people"),
    ("present", "past"): _pairs(VERBS, "base", "past"),
    ("past", "participle"): _pairs(VERBS, "past", "going"),
    ("adjective", "comparative"): _pairs(ADJECTIVES, "plain", "more"),
    ("comparative", "superlative"): _pairs(ADJECTIVES, "more", "most"),
    ("adult", "young"): _pairs(ANIMALS, "adult", "young"),
}

# Questions (a, b, c, answer): b - a + c is nearest to the answer. Three that every talk shows, then each pair
# of a relation asks for the pair after it.
ANALOGIES: tuple[tuple[str, str, str, str], ...] = (
    ("man", "king", "woman", "queen"),
    ("france", "paris", "italy", "rome"),
    ("walked", "walking", "swam", "swimming"),
    *((a, b, c, answer) for pairs in RELATIONS.values() for (a, b), (c, answer) in pairwise(pairs[1:])),
)
