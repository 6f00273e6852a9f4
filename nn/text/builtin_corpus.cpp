#include "nn/text/builtin_corpus.hpp"

#include "tensor/error.hpp"

namespace qisa {
namespace {

// Read it from the top: a scene has a place, a company, speeches; a speech has sentences; a sentence
// is a line or two of iambic pentameter. Three habits keep every text to one derivation. In a slot no
// word is the beginning of another. What may end or go on says at its next character which it does.
// And sentences that begin alike part at some word. In return, what a model has to remember from far
// back is real: who is on stage, who spoke last, and whom a speaker can call by name.
const std::vector<Grammar::RuleText> play = {
    {"scene", "SCENE: <place>, <time>.\n\n<company>"},
    {"place",
     "The harbour of <land> | The palace at <land> | A wood near <land> | A tavern in <land> | The walls of <land> |"
     "A road to <land> | A garden | A churchyard | The deck of a ship | The queen's chamber | A prison | A mill"},
    {"time",
     "before dawn | at noon | at dusk | by torchlight | in the rain | in deep snow | after the battle | at midnight"},
    {"land", "Orlen | Harrow | Tarvin | Velmar | Quillen | Umber | Keldor | Gavren | Denmor | Fenwick | Isby | Yarrow"},

    // Who is on stage. Two take turns; of three, any but the one who spoke may speak next.
    {"company",
     "3: [Enter JORWEN and ZELLA, <manner>.]\n\n<jorwen and zella> |"
     "3: [Enter QUENTOR and XANTHE, <manner>.]\n\n<quentor and xanthe> |"
     "2: [Enter ZELLA and BRAMBLE, <manner>.]\n\n<zella and bramble> |"
     "2: [Enter VESPER and JORWEN, <manner>.]\n\n<vesper and jorwen> |"
     "2: [Enter QUENTOR, XANTHE and VESPER.]\n\n<quentor first> |"
     "1: [Enter BRAMBLE, alone.]\n\nBRAMBLE:\n<speech>[Exit.]\n\n"},
    {"manner", "in haste | weeping | with lanterns | disguised | in armour | arm in arm | quarrelling"},

    {"jorwen and zella",
     "3: <jorwen to zella><zella to jorwen><jorwen and zella> |"
     "1: <jorwen to zella><zella to jorwen>[Exeunt JORWEN and ZELLA.]\n\n"},
    {"quentor and xanthe",
     "3: <quentor to xanthe><xanthe to quentor><quentor and xanthe> |"
     "1: <quentor to xanthe><xanthe to quentor>[Exeunt QUENTOR and XANTHE.]\n\n"},
    {"zella and bramble",
     "2: <zella to bramble><bramble to zella><zella and bramble> |"
     "1: <zella to bramble><bramble to zella>[Exeunt ZELLA and BRAMBLE.]\n\n"},
    {"vesper and jorwen",
     "2: <vesper to jorwen><jorwen to vesper><vesper and jorwen> |"
     "1: <vesper to jorwen><jorwen to vesper>[Exeunt VESPER and JORWEN.]\n\n"},

    {"jorwen to zella", "2: JORWEN:\n<speech> | 1: JORWEN:\nZella, <plea>\n<speech>"},
    {"zella to jorwen", "2: ZELLA:\n<speech> | 1: ZELLA:\nJorwen, <plea>\n<speech>"},
    {"quentor to xanthe", "2: QUENTOR:\n<speech> | 1: QUENTOR:\nXanthe, <plea>\n<speech>"},
    {"xanthe to quentor", "2: XANTHE:\n<speech> | 1: XANTHE:\nQuentor, <plea>\n<speech>"},
    {"zella to bramble", "1: ZELLA:\n<speech> | 1: ZELLA:\nBramble, <plea>\n<speech>"},
    {"bramble to zella", "2: BRAMBLE:\n<speech> | 1: BRAMBLE:\nZella, <plea>\n<speech>"},
    {"vesper to jorwen", "2: VESPER:\n<speech> | 1: VESPER:\nJorwen, <plea>\n<speech>"},
    {"jorwen to vesper", "1: JORWEN:\n<speech> | 1: JORWEN:\nVesper, <plea>\n<speech>"},

    {"quentor first", "QUENTOR:\n<speech><after quentor>"},
    {"xanthe first", "XANTHE:\n<speech><after xanthe>"},
    {"vesper first", "VESPER:\n<speech><after vesper>"},
    {"after quentor", "3: <xanthe first> | 2: <vesper first> | 1: <all leave>"},
    {"after xanthe", "3: <quentor first> | 2: <vesper first> | 1: <all leave>"},
    {"after vesper", "1: <quentor first> | 1: <xanthe first> | 1: <all leave>"},
    {"all leave", "[Exeunt QUENTOR, XANTHE and VESPER.]\n\n"},

    // What they say.
    {"speech", "7: <sentences> | 1: [<business>.]\n<sentences>"},
    {"business",
     "Aside | Kneels | Weeps | Laughs | Turns away | Draws a sword | Reads a letter | Breaks a ring | Lights a lamp |"
     "Points to the sky"},
    {"sentences", "3: <sentence>\n<sentences> | 1: <sentence>\n\n"},
    {"sentence",
     "12: <statement>. | 3: <condition>,\n<statement>. | 2: <statement>;\n<contrast>. | 4: <question>? | 4: "
     "<command>!"},
    {"statement",
     "4: The <adjective> <noun> <modal> <adverb> <verb> the <noun> |"
     "3: The <noun> that <verb>s the <noun> <modal> <verb> the <noun> |"
     "2: The <noun>s of <land> <verb> the <adjective> <noun> |"
     "2: The <noun> of <land> <verb>s the <adjective> <noun> |"
     "2: The <adjective> <noun> has <done> a <adjective> <noun> |"
     "1: The <noun> is <adjective>, but the <noun> is <short> |"
     "2: I <verb> the <noun>, and yet the <noun> <verb>s me |"
     "3: I <verb> and <verb> the <noun>, the <noun>, the <noun> |"
     "2: I <modal> not <verb> the <adjective> <noun> <ending> |"
     "1: I'll <adverb> <verb> the <noun> that <verb>s the <noun> |"
     "1: I'd give <a noun> to <verb> so <short> <a noun> |"
     "4: My <noun>, my <noun>, my <adjective> <noun> <modal> <end> |"
     "2: Thy <adjective> <noun> is like a <adjective> <noun> |"
     "4: A <noun>, a <noun>, a <noun> <modal> <verb> thy <noun> |"
     "4: So <short> a <noun> <modal> <verb> so <short> <a noun> |"
     "1: No <noun> <modal> <verb> a <noun> so <short> as thine |"
     "1: There is no <noun> so <short> but it <modal> <end> |"
     "1: 'Tis not the <noun> that <verb>s me, but the <noun> |"
     "1: We tell thee this: the <adjective> <noun> <modal> <end>"},
    {"condition",
     "2: When <adjective> <noun>s have <done> the <adjective> <noun> |"
     "2: If thou wilt <verb> the <adjective> <noun> <ending> |"
     "1: As <adjective> as the <noun> that <verb>s the <noun> |"
     "1: Until the <noun> <modal> <verb> the <adjective> <noun>"},
    {"contrast",
     "2: But still the <noun> <modal> <verb> the <adjective> <noun> |"
     "2: Yet <adjective> <noun>s <modal> <adverb> <verb> my <noun> |"
     "1: And so the <noun> <modal> <verb> <a noun> <ending>"},
    {"question",
     "2: And who <modal> <verb> the <adjective> <noun> <ending> |"
     "2: What <noun> <modal> <verb> a <noun> so <short> and <short> |"
     "1: Dost thou not <verb> the <adjective> <noun> <ending> |"
     "1: Shall I then <verb> the <noun> that <verb>s the <noun> |"
     "1: How <modal> a <noun> so <adjective> ever <end>"},
    {"command",
     "2: Go, <verb> the <adjective> <noun> and <verb> the <noun> |"
     "2: Let every <noun> that <verb>s the <noun> now <end> |"
     "1: Speak not of <noun>s; the <adjective> <noun> must <end> |"
     "2: O <adjective> <noun>, how <adjective> is the <noun> |"
     "1: Alas, the <noun> <modal> <adverb> <verb> my <noun>"},
    // After a name of two syllables.
    {"plea",
     "2: the <adjective> <noun> <modal> <verb> thy <noun>. | 2: I <modal> not <verb> the <adjective> <noun>. |"
     "1: if thou wilt <verb> the <noun>, I'll <end>. | 1: what <noun> <modal> <verb> so <short> a <noun>?"},

    // Words, chosen for their stress: nouns and verbs of one syllable, adjectives and adverbs of two.
    {"a noun", "4: a <noun> | 1: an <open noun>"},
    {"noun",
     "king | queen | crown | throne | sword | shield | knight | duke | lord | star | moon | sun | cloud | storm |"
     "wind | wave | ship | sail | shore | stream | lake | hill | stone | road | gate | wall | door | bell | lamp |"
     "flame | hand | heart | tear | dream | ghost | grave | lark | dove | hound | hawk | thorn | root | field |"
     "night | day | spring | year | word | song | tale | vow | friend | foe | bride | maid | fool | guest | mask |"
     "ring | cup | flag | drum | horn | spear | coin | map | key | book | pen | clock | bird | cave | rock | beast |"
     "frost | debt | tomb | town | nest | plot | scroll | harp | boat | law | sea"},
    {"open noun", "oak | oath | isle | eye | hour | axe | inn | elm | ape | owl | urn"},
    {"adjective",
     "gentle | bitter | silver | golden | hollow | broken | silent | weary | hidden | lonely | merry | noble |"
     "ragged | royal | sacred | secret | simple | sleepy | sudden | tender | timid | wicked | wooden | worthy |"
     "yellow | jealous | foolish | frozen | gloomy | guilty | happy | heavy | holy | humble | hungry | crimson |"
     "cunning | clever | careful | faded | feeble | fickle | mighty | modest | naked | patient | solemn | sullen |"
     "zealous | rusty | dusty | misty | velvet | purple | homely"},
    {"short",
     "bold | cold | dark | bright | pale | proud | kind | wild | sweet | dear | false | true | fair | strange |"
     "young | grim | deep | swift | calm | mad | meek | sad | sharp | frail | vast | warm | wise | rare | rich |"
     "pure | keen | fierce | faint | brave | blind | bleak"},
    {"verb",
     "love | fear | seek | break | keep | call | heal | mock | doubt | find | hold | mourn | trust | serve | guard |"
     "hunt | warm | shake | wake | steal | hide | mend | burn | turn | know | need | rule | save | scorn | shun |"
     "tame | warn | win | wrong | bring | bind | drown | feed | fight | greet | haunt | hear | help | leave | lead |"
     "move | meet | prove | grieve | rob | sell | slay | spare | strike | taunt | wed"},
    {"done", "lost | won | bought | sold | slain | sought | chained | blessed | cursed | found | kept | drawn"},
    {"end",
     "fall | weep | sleep | fade | die | sing | laugh | wait | sigh | bleed | glow | shine | yield | grow | bend |"
     "rise | stay | stand | rest | kneel | sink | dance"},
    {"modal", "will | shall | must | may | can | could | would | should | might"},
    {"adverb",
     "never | ever | always | seldom | gently | boldly | softly | sadly | slowly | gladly | bravely | often | rarely |"
     "surely | truly | vainly"},
    {"ending", "again | alone | to-day | to-night | at dawn | in vain | by night | at last | for love | unseen"},
};

}  // namespace

const Grammar& builtin_corpus_grammar() {
  static const Grammar grammar(play);
  return grammar;
}

std::string builtin_corpus(std::uint64_t seed, Index characters) {
  require(characters >= 0, "builtin_corpus: cannot write {} characters", characters);
  Random random(seed, Purpose::corpus);
  std::string text;
  while (static_cast<Index>(text.size()) < characters) builtin_corpus_grammar().sample(random, text);
  text.resize(characters);
  return text;
}

double builtin_corpus_entropy() {
  return builtin_corpus_grammar().entropy() / builtin_corpus_grammar().expected_length();
}

}  // namespace qisa
