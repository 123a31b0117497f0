/** Words that the lexical guard knows. English; lower case. */

export const NUMBER_WORDS: ReadonlyMap<string, string> = new Map(
  // Not "one" and "second", which mostly mean something else.
  "zero two three four five six seven eight nine ten eleven twelve"
    .split(" ")
    .map((word, i) => [word, String(i === 0 ? 0 : i + 1)]),
);

export const NEGATIONS = new Set(
  "not no never without none nobody nothing neither nor cannot dont doesnt didnt isnt wont cant".split(" "),
);

/** After a negation these make a way of speaking: not sure, don't know, not only. */
export const NO_NEGATION = new Set("sure know certain only idea understand longer matter".split(" "));

/** What says nothing about the subject. */
export const FUNCTION_WORDS = new Set(
  (
    "a an the is are was were be been being am do does did done doing have has had having i me my mine you your he him his " +
    "she her it its they them their we us our of to in on at for with and or but if as by from that this these those can " +
    "could should would shall will may might must what how why when where who which so than then there about into also just " +
    "any some get got im ive i'm i've it's what's how's please tell explain describe show give let need want like way ways " +
    "user assistant system s t"
  ).split(" "),
);

/** Where these stand, who comes first decides. */
export const DIRECTIONS = new Set("from to into than before after over versus vs against".split(" "));

/** Either changes the answer into that of the other. */
const OPPOSITES: readonly string[] = [
  "enable/disable enabled/disabled enabling/disabling on/off open/close opened/closed opening/closing start/stop",
  "starting/stopping begin/end increase/decrease increasing/decreasing add/remove adding/removing before/after allow/deny",
  "allow/block allowed/forbidden include/exclude including/excluding first/last raw/cooked up/down upgrade/downgrade buy/sell",
  "buying/selling import/export importing/exporting encrypt/decrypt encode/decode minimum/maximum min/max best/worst better/worse",
  "more/less more/fewer most/least high/low higher/lower highest/lowest hot/cold left/right positive/negative true/false",
  "accept/reject input/output read/write reading/writing lock/unlock locked/unlocked install/uninstall connect/disconnect",
  "subscribe/unsubscribe lend/borrow win/lose won/lost always/never arrive/depart arrival/departure old/new oldest/newest",
  "older/newer older/younger male/female man/woman men/women boy/girl husband/wife mother/father north/south east/west safe/dangerous",
  "safe/unsafe legal/illegal possible/impossible sync/async public/private ascending/descending push/pull upload/download login/logout",
  "mount/unmount show/hide expand/collapse grow/shrink gain/lose rise/fall rose/fell inside/outside internal/external",
  "inbound/outbound incoming/outgoing client/server day/night morning/evening summer/winter cheap/expensive cheapest/expensive",
  "fast/slow faster/slower early/late earliest/latest before/since above/below over/under top/bottom front/back odd/even",
  "credit/debit asset/liability profit/loss hypo/hyper hypertension/hypotension hyperthyroidism/hypothyroidism",
  "hyperglycemia/hypoglycemia acute/chronic benign/malignant bacterial/viral cause/prevent cause/cure causes/prevents",
];

export const OPPOSITE: ReadonlyMap<string, readonly string[]> = ((): Map<string, string[]> => {
  const map = new Map<string, string[]>();
  const put = (word: string, other: string): void => {
    const known = map.get(word);
    if (known === undefined) map.set(word, [other]);
    else known.push(other);
  };
  for (const line of OPPOSITES) {
    for (const pair of line.split(" ")) {
      const [left, right] = pair.split("/") as [string, string];
      put(left, right);
      put(right, left);
    }
  }
  return map;
})();

/** Groups of words that may stand for each other in a prompt. */
const SYNONYMS: readonly string[] = [
  "fix repair solve resolve",
  "delete remove erase",
  "buy purchase",
  "start begin launch",
  "make create build generate",
  "find locate",
  "change modify alter edit update",
  "big large",
  "small little",
  "fast quick rapid quickly",
  "error failure problem issue",
  "picture image photo",
  "phone telephone mobile cellphone",
  "mail email",
  "doctor physician",
  "kid child",
  "kids children",
  "movie film",
  "job position",
  "use utilize",
  "help assist",
  "choose select pick",
  "good great",
  "get obtain",
  "method approach",
  "happen occur",
  "happens occurs",
  "difference distinction",
  "mean signify",
  "learn study",
  "important essential",
  "easy simple",
  "easiest simplest",
  "correct right",
  "wrong incorrect",
  "sick ill",
  "set configure",
];

export const SYNONYM: ReadonlyMap<string, number> = new Map(
  SYNONYMS.flatMap((line, group) => line.split(" ").map((word): [string, number] => [word, group])),
);
