/**
 * Hate, SelfHarm, Sexual and Violence by weighted words and phrases, English only. It finds what is said outright and
 * misses what is meant; where quality matters, a moderation service belongs behind `backend-id`. What it finds and misses
 * of a small set of our own is measured in `categories.test.ts` and stated in the guide.
 */
import { fold } from "./fold.ts";

export const HARM_CATEGORIES = ["Hate", "SelfHarm", "Sexual", "Violence"] as const;
export type HarmCategory = (typeof HARM_CATEGORIES)[number];

interface Sign {
  /** On folded text in lower case; every quantifier bounded. */
  readonly form: RegExp;
  /** 1…7. */
  readonly severity: number;
}

interface Category {
  /** None of these in the text: nothing else is tried. */
  readonly trigger: RegExp;
  readonly signs: readonly Sign[];
  /** Of these, a finding is taken back by two: news, medicine, history, prevention. */
  readonly mild: RegExp;
}

const GROUPS =
  "(?:jews?|jewish people|muslims?|christians?|blacks?|black people|whites?|white people|asians?|mexicans?|immigrants?|refugees?|foreigners|gays?|lesbians?|homosexuals?|trans(?:gender)?(?: people)?|women|arabs?|gypsies|roma|hindus?|disabled people|africans?|chinese(?: people)?|indians?)";
const PEOPLE =
  "(?:you|him|her|them|people|someone|somebody|everyone|everybody|my (?:wife|husband|boss|ex|neighbou?r|teacher|mother|father|brother|sister|girlfriend|boyfriend|classmates?|coworkers?|colleagues?)|the (?:president|police|teacher|children|kids)|that (?:bitch|bastard|man|woman|guy)|a (?:man|woman|person|child|kid|cop))";

const CATEGORIES: Readonly<Record<HarmCategory, Category>> = {
  Hate: {
    trigger: new RegExp(
      `\\b(?:${GROUPS}|n[i1]gg\\w{1,3}|kikes?|fag\\w{0,4}|spics?|chinks?|trann\\w{1,3}|wetbacks?|towelheads?|ragheads?|retard(?:s|ed)?|subhuman\\w?|untermensch\\w{0,3}|heil|nazis?|race|racial)\\b`,
    ),
    signs: [
      {
        form: /\b(?:n[i1]gg(?:er|a)s?|kikes?|fagg?ots?|fags|spics?|chinks?|trann(?:y|ies)|wetbacks?|towelheads?|ragheads?|gooks?|darkies)\b/,
        severity: 5,
      },
      { form: /\b(?:retards?|retarded)\b/, severity: 3 },
      {
        form: new RegExp(
          `\\b(?:kill|exterminate|gas|eradicate|wipe out|get rid of|lynch|hang|deport|shoot|burn)\\b (?:all |the |every |those |these |of ){0,3}${GROUPS}\\b`,
        ),
        severity: 7,
      },
      {
        form: new RegExp(
          `\\b(?:hate|despise|loathe|can'?t stand|detest)\\b (?:all |the |every |those |these |fucking |damn ){0,3}${GROUPS}\\b`,
        ),
        severity: 5,
      },
      {
        form: new RegExp(
          `\\b${GROUPS}\\b (?:\\w{1,12} ){0,2}?(?:are|is|were|deserve)\\b (?:\\w{1,12} ){0,3}?(?:vermin|animals|subhumans?|inferior|parasites|cockroaches|rats|scum|filth|disgusting|evil|stupid|criminals|terrorists|rapists|dirty|a (?:disease|plague|cancer)|to die|savages)\\b`,
        ),
        severity: 6,
      },
      { form: new RegExp(`\\b(?:dirty|filthy|stupid|fucking|disgusting|damn) ${GROUPS}\\b`), severity: 5 },
      {
        form: new RegExp(
          `\\b${GROUPS}\\b (?:\\w{1,12} ){0,2}?(?:should|must|need to|don'?t deserve to|go) (?:\\w{1,10} ){0,2}?(?:die|be (?:killed|deported|exterminated|shot|banned)|back to|live|exist|vote)\\b`,
        ),
        severity: 6,
      },
      {
        form: /\b(?:white|aryan|racial) (?:power|supremacy is|purity)\b|\bmaster race\b|\bheil hitler\b|\b(?:race|racial) war now\b|\b14 ?88\b/,
        severity: 5,
      },
    ],
    mild: /\b(?:history|historical|museum|holocaust|slur|research|report|article|discrimination|prejudice|racism|against hate|study|novel|condemn\w{0,3})\b/,
  },
  SelfHarm: {
    trigger:
      /\b(?:suicid\w{1,3}|kill(?:ing)? (?:myself|yourself|himself|herself)|self[- ]?harm\w{0,4}|cut(?:ting)? (?:myself|my|yourself)|end(?:ing)? (?:my|it)|die|kys|better off|dead|overdos\w{1,3}|hang(?:ing)? (?:myself|yourself)|hurt(?:ing)? (?:myself|yourself)|anorexi\w{1,2}|pro-?ana|starve|starving|alive|jump(?:ing)? off|slit\w{0,4}|no reason to live|wrists?)\b/,
    signs: [
      {
        form: /\b(?:i|i'm|i am|gonna|going to|want(?:ing)? to|will|thinking (?:of|about)|plan(?:ning)? (?:to|on)|ready to)\b (?:\w{1,10} ){0,4}?(?:kill(?:ing)? myself|end(?:ing)? (?:my life|it all)|commit(?:ting)? suicide|hang(?:ing)? myself|suicide|die tonight|shoot(?:ing)? myself)\b/,
        severity: 6,
      },
      {
        form: /\b(?:how|best way|easiest way|painless(?:ly)?|ways?|methods?|most effective)\b[^.!?\n]{0,40}?\b(?:kill(?:ing)? (?:myself|yourself)|commit(?:ting)? suicide|end(?:ing)? my (?:own )?life|overdose|hang (?:myself|yourself)|slit (?:my|your) wrists)\b/,
        severity: 7,
      },
      {
        form: /\b(?:kill yourself|kys|go (?:hang|kill) yourself|you should (?:just )?(?:die|end it|kill yourself)|end your (?:own )?life)\b/,
        severity: 6,
      },
      {
        form: /\b(?:cut(?:ting)?|burn(?:ing)?|hurt(?:ing)?|harm(?:ing)?) (?:myself|my (?:arms?|wrists?|legs?|thighs?|skin))\b/,
        severity: 5,
      },
      {
        form: /\b(?:i|i'd) (?:\w{1,10} ){0,2}?(?:want to die|wish i (?:was|were) dead|don'?t want to (?:live|be alive|exist)|rather be dead|hate being alive)\b|\bno reason to (?:live|go on)\b|\bbetter off (?:dead|without me)\b/,
        severity: 5,
      },
      {
        form: /\b(?:pro-?ana|thinspo\w{0,5})\b|\bstarv(?:e|ing) (?:myself|yourself)\b|\bhow to (?:hide|become|stay) (?:\w{1,8} ){0,2}?anorexi[ac]\b/,
        severity: 4,
      },
      { form: /\b(?:suicid(?:e|al)|self[- ]?harm)\b/, severity: 2 },
    ],
    mild: /\b(?:prevention|hotline|helpline|awareness|statistics|research|therap\w{1,4}|study|article|support group|fictional|symptoms?|novel)\b/,
  },
  Sexual: {
    trigger:
      /\b(?:sex\w{0,8}|porn\w{0,8}|nude\w?|naked|cocks?|dicks?|pussy|cunts?|tits|boobs|fuck\w{0,3}|cum\w{0,4}|orgasm\w{0,2}|blow ?jobs?|masturbat\w{1,4}|erotic\w?|hentai|dildos?|anal|horny|penis\w{0,2}|vagina\w?|nipples?|topless|strip\w{0,5}|underage|loli\w{0,3}|incest|bdsm|clit\w{0,5})\b/,
    signs: [
      {
        form: /\b(?:child|children|minors?|underage|preteen|kids?|(?:\d|1[0-7])[- ]years?[- ]old|little (?:girl|boy)s?|loli(?:ta|con)?|schoolgirls?)\b[^.!?\n]{0,40}?\b(?:porn\w{0,8}|sex(?:ual)?(?:ly)?|nudes?|naked|erotic\w?|molest\w{0,3}|undress\w{0,3}|seduc\w{1,4})\b|\b(?:porn\w{0,8}|sex|nudes?|naked|erotic\w?|seduc\w{1,4})\b[^.!?\n]{0,30}?\b(?:children|minors?|underage|preteens?|kids|little (?:girl|boy)s?|(?:\d|1[0-7])[- ]years?[- ]old)\b/,
        severity: 7,
      },
      {
        form: /\b(?:suck(?:ing)?|lick(?:ing)?|rid(?:e|ing)|fuck(?:ing|ed)?|strok(?:e|ing)|rub(?:bing)?) (?:\w{1,8} ){0,2}?(?:cocks?|dicks?|pussy|clit|tits|penis)\b/,
        severity: 6,
      },
      {
        form: /\b(?:fuck|fucked|fucking) (?:me|her|him|you|them) (?:hard(?:er)?|in the|from behind|all night|raw|senseless)\b/,
        severity: 6,
      },
      {
        form: /\b(?:write|generate|create|describe|show me|send|give me|make)\b[^.!?\n]{0,50}?\b(?:porn\w{0,8}|erotic\w?|smut|nudes?|hentai|sex(?:ual(?:ly explicit)?)? (?:scene|story|fantasy|roleplay|act|content|images?)|blow ?jobs?|orgasms?|nsfw)\b/,
        severity: 5,
      },
      {
        form: /\b(?:blow ?jobs?|hand ?jobs?|cumshots?|gang ?bang|deep ?throat\w{0,3}|creampie|anal sex|rape fantasy|sex ?slaves?|incest porn)\b/,
        severity: 5,
      },
      {
        form: /\b(?:i'?m|so|feeling|get(?:ting)?|make me) (?:so |really |very )?(?:horny|wet for you|hard for you|turned on)\b/,
        severity: 4,
      },
      { form: /\b(?:porn\w{0,8}|masturbat\w{1,4}|dildos?|hentai|big (?:tits|boobs)|pussy)\b/, severity: 4 },
      { form: /\b(?:naked|nudes?|topless|strip ?(?:club|tease)\w?|sexy|erotic)\b/, severity: 2 },
    ],
    mild: /\b(?:education|health|medical|doctor|clinic\w{0,2}|contracepti\w{1,4}|painting|sculpture|anatom\w{1,5}|biology|consent|law|policy|research|prevention|gene)\b/,
  },
  Violence: {
    trigger:
      /\b(?:kill\w{0,4}|murder\w{0,4}|bomb\w{0,4}|shoot\w{0,4}|shot|stab\w{0,5}|behead\w{0,4}|tortur\w{1,4}|massacre\w?|explosives?|weapons?|guns?|attack\w{0,3}|beat|beating|strangl\w{1,4}|poison\w{0,4}|assassinat\w{1,4}|terror\w{0,5}|blood\w?|hurt|dismember\w{0,3}|mutilat\w{1,4}|rape[ds]?|raping|slaughter\w{0,3}|burn|molotov|ricin|sarin|anthrax|pipe ?bombs?|napalm|throat)\b/,
    signs: [
      {
        form: new RegExp(
          `\\b(?:i|i'm|i'll|we|we'll)\\b (?:\\w{1,10} ){0,4}?(?:kill|murder|stab|shoot|strangle|beat up|behead|torture|poison|slaughter|hurt|rape|burn)(?:ing)? (?:all of |the fuck out of )?${PEOPLE}\\b`,
        ),
        severity: 6,
      },
      {
        form: /\b(?:how|steps|instructions|recipe|guide|tutorial|ways?|best way|teach me|help me|tell me|explain|plan)\b[^.!?\n]{0,50}?\b(?:make|build|construct|create|assemble|synthesi[sz]e|produce|cook|detonate|mix)\b[^.!?\n]{0,30}?\b(?:(?:pipe|nail|dirty|fertili[sz]er|home ?made|car|pressure cooker|nuclear)? ?bombs?|explosives?|molotov\w{0,10}|grenades?|napalm|ricin|sarin|nerve (?:agent|gas)|anthrax|silencer|ghost gun|ied|chemical weapons?|bioweapons?|thermite)\b/,
        severity: 7,
      },
      {
        form: new RegExp(
          `\\b(?:how|best way|ways?|help me|plan|teach me)\\b[^.!?\\n]{0,30}?\\b(?:kill|murder|poison|stab|strangle|assassinate|hurt|torture|dismember|shoot|get away with (?:killing|murdering))\\b[^.!?\\n]{0,12}?\\b${PEOPLE}\\b`,
        ),
        severity: 7,
      },
      {
        form: /\b(?:shoot up|blow up|bomb|attack|burn down) (?:\w{1,10} ){0,2}?(?:school|church|mosque|synagogue|hospital|mall|airport|office|building|stadium|concert|train|house|embassy)s?\b/,
        severity: 7,
      },
      {
        form: /\b(?:you|he|she|they) (?:\w{1,8} ){0,2}?(?:deserves? to (?:die|be (?:killed|shot|beaten))|should be (?:killed|shot|hanged|beaten|stabbed))\b|\bi hope (?:you|he|she|they) (?:all )?(?:dies?|get (?:shot|killed|stabbed))\b/,
        severity: 5,
      },
      {
        form: /\b(?:slit|cut|tore|ripped|slash(?:ed)?) (?:\w{1,8} ){0,2}?(?:throat|guts|head off|limbs?|eyes? out|intestines)\b|\bblood (?:sprayed|gushed|spurted|splattered)|\b(?:beheaded|dismembered|disembowel\w{1,3}|mutilated|tortured) (?:\w{1,8} ){0,2}?(?:him|her|them|body|bodies|corpse|victims?|prisoners?|alive)\b/,
        severity: 5,
      },
      {
        form: /\b(?:terrorist attack|mass shooting|massacre|genocide|beheading|execution video|hit ?man)\b/,
        severity: 3,
      },
      {
        form: /\b(?:murder(?:ed|er|s)?|stabbed|shot dead|bombing|gunned down|assassinat\w{1,4})\b/,
        severity: 2,
      },
    ],
    mild: /\b(?:history|historical|museum|novel|movie|film|game|news|article|report\w{0,4}|research|prevention|fictional|documentary|war of|battle of|police said|convicted|process|server|thread)\b/,
  },
};

/** @returns 0…7 for each category asked for */
export function harmSeverities(text: string, categories: readonly HarmCategory[]): number[] {
  const plain = fold(text, true).text.replace(/[\s_]+/g, " ");
  const unleet = plain.replace(/(?<=[a-z])[0134$@](?=[a-z])/g, (character) => LETTERS[character]!);
  return categories.map((name) =>
    Math.max(
      severityOf(plain, CATEGORIES[name]),
      unleet === plain ? 0 : severityOf(unleet, CATEGORIES[name]),
    ),
  );
}

const LETTERS: Readonly<Record<string, string>> = {
  "0": "o",
  "1": "i",
  "3": "e",
  "4": "a",
  $: "s",
  "@": "a",
};

function severityOf(text: string, { trigger, signs, mild }: Category): number {
  if (!trigger.test(text)) return 0;
  let severity = 0;
  for (const sign of signs) if (sign.severity > severity && sign.form.test(text)) severity = sign.severity;
  return severity > 0 && severity < 7 && mild.test(text) ? Math.max(0, severity - 2) : severity;
}
