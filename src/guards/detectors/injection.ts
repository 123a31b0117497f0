/**
 * Prompt injection and jailbreaks by heuristics: weighted signs, added up over several readings of the text (as it is,
 * letters spaced out, encoded parts decoded). A score of 1 or more counts as an attack by default. Whoever knows these
 * patterns gets around them; they stop what is copied from the web, not who is determined.
 */
import { readings } from "./readings.ts";

interface Sign {
  readonly name: string;
  /** On folded text in lower case; every quantifier bounded. */
  readonly form: RegExp;
  readonly weight: number;
  /** Only where nobody but the user should give instructions: tool results, retrieved texts. */
  readonly documents?: true;
}

const GAP = "[^.!?\\n]{0,40}?";
const PRIOR =
  "(?:all |any |every |the |your |of |these |those |above |and ){0,5}(?:previous|prior|preceding|above|earlier|former|existing|original|initial|system|safety|content|openai'?s?|anthropic'?s?|developer)";
const RULES =
  "(?:instruction|direction|prompt|rule|guideline|command|context|polic|restriction|programming|constraint|filter|training|order|safeguard)";

const SIGNS: readonly Sign[] = [
  {
    name: "ignore-instructions",
    form: new RegExp(
      `\\b(?:ignore|disregard|forget|override|bypass|neglect|discard|skip)\\b${GAP}\\b${PRIOR}${GAP}\\b${RULES}`,
    ),
    weight: 1,
  },
  {
    name: "ignore-instructions",
    form: new RegExp(
      `\\b(?:ignore|disregard|forget|override|bypass)\\b (?:all |any |everything |of |your |the |my |these ){1,4}${RULES}`,
    ),
    weight: 1,
  },
  // Letters that stood apart have lost where words end.
  {
    name: "ignore-instructions",
    form: /(?:ignore|disregard|forget|override|bypass) ?(?:(?:all|any|the|your|of|these|previous|prior|above) ?){1,5}(?:instruction|rule|prompt|guideline)/,
    weight: 1,
  },
  {
    name: "ignore-everything",
    form: /\b(?:ignore|disregard|forget) (?:everything|all|anything)(?: that)?(?: (?:was|were|you|i|we|said|told|above|before|have|been|has|know)){1,6}/,
    weight: 1,
  },
  {
    name: "do-not-follow",
    form: new RegExp(
      `\\b(?:do not|don'?t|never|stop|no longer)\\b (?:need to |have to |must )?(?:follow|obey|comply with|adhere to|apply|following|obeying)\\b${GAP}\\b(?:${PRIOR}|your|any|the)\\b${GAP}\\b${RULES}`,
    ),
    weight: 1,
  },
  {
    name: "ignore-instructions",
    form: /\b(?:ignorier\w{0,3}|vergiss)\b[^.!?\n]{0,40}?\b(?:vorherigen|bisherigen|obigen|alle)\b[^.!?\n]{0,40}?\b(?:anweisung|regel|instruktion)/,
    weight: 1,
  },
  {
    name: "ignore-instructions",
    form: /\b(?:ignora|olvida|ignorez|oubliez|ignore)\b[^.!?\n]{0,40}?\b(?:instruc\w{0,8}|consignes|reglas|istruzioni)\b[^.!?\n]{0,30}?\b(?:anterior\w{0,3}|previas|precedent\w{0,3})/,
    weight: 1,
  },
  {
    name: "new-instructions",
    form: /\b(?:new|updated|real|actual|true|following) (?:system )?(?:instructions?|directives?|orders|rules)\b ?(?:are|is|:|follow)/,
    weight: 0.5,
  },
  {
    name: "role-markers",
    form: /<\|?(?:im_start|im_end|system|endoftext|start_header_id|eot_id)\|?>|\[\/?inst\]|<<\/?sys>>|^#{2,4} ?(?:system|instruction)s? ?:?/m,
    weight: 0.7,
  },
  {
    name: "role-markers",
    form: /(?:^|\n) {0,4}(?:system|assistant|developer)(?: (?:message|prompt|override|note|update))? ?:/,
    weight: 0.4,
  },
  {
    name: "role-hijack",
    form: /\b(?:you are|you're|act as|become|pretend (?:to be|you are)|roleplay as|simulate|behave like|play the role of)\b[^.!?\n]{0,60}?\b(?:unrestricted|unfiltered|uncensored|jailbroken|evil|amoral|without (?:any )?(?:rules|restrictions|limits|filters|limitations|ethics|morals|guidelines)|no (?:rules|restrictions|limits|filters|limitations|guidelines))/,
    weight: 1,
  },
  {
    name: "role-hijack",
    form: /\b(?:answer|respond|reply|speak|write) as (?:an? |the )?(?:ai|assistant|model|chatbot|llm|bot|someone|somebody)\b[^.!?\n]{0,30}?\b(?:without|free of|with no) (?:any )?(?:rules|restrictions|limits|filters|limitations|guidelines|censorship)/,
    weight: 1,
  },
  {
    name: "unbound",
    form: /\byou(?:'re| are) (?:no longer|not|never) (?:bound|restricted|limited|constrained|governed) (?:by|to) (?:any |your |the |\w{1,20}'s )?(?:\w{1,20} ){0,2}?(?:polic(?:y|ies)|rules|guidelines|restrictions|filters|guardrails|instructions|limitations)\b/,
    weight: 1,
  },
  {
    name: "unbound",
    form: /\b(?:do not|don't|must not|should not|stop|never|no longer) (?:follow(?:ing)?|obey(?:ing)?|respect(?:ing)?) your (?:\w{1,20} )?(?:guidelines|rules|instructions|polic(?:y|ies)|programming|training)\b/,
    weight: 1,
  },
  {
    name: "unbound",
    form: /\b(?:as if|as though|like|pretend) you (?:had|have|were given) no (?:\w{1,20} )?(?:guidelines|rules|restrictions|polic(?:y|ies)|filters|limits|limitations)\b/,
    weight: 1,
  },
  {
    name: "persona",
    form: /\b(?:d\.?a\.?n\.?|stan|dude|aim|devmode|evilbot|betterdan|maximum)\b[^.!?\n]{0,40}?\b(?:do anything now|jailbreak|strive to avoid|mode|anti-?dan|unfiltered)\b/,
    weight: 0.7,
  },
  { name: "do-anything-now", form: /\bdo anything now\b/, weight: 1 },
  {
    name: "modes",
    form: /\b(?:developer|god|debug|dev|admin|root|sudo|jailbreak|unrestricted|opposite|maintenance) mode:? (?:is |has been |now |are ){0,2}(?:enabled|activated|engaged|unlocked|on {0,3}(?:$|[.!?,;]))|\b(?:enable|enter|activate|switch (?:to|into)|turn on|unlock)\b[^.!?\n]{0,20}?\b(?:developer|god|debug|dev|admin|root|jailbreak|unrestricted) mode\b(?! (?:on|in|for) (?:my |the |an? )?(?:android|ios|iphone|ipad|chrome(?:book|os)?|firefox|windows|macos|mac|linux|phone|tablet|device|tv|pixel|samsung|discord|router|game|minecraft)\b)/,
    weight: 1,
  },
  { name: "jailbreak", form: /\bjail ?break(?:ed|ing)?\b|\bjailbroken\b/, weight: 0.4 },
  {
    name: "no-restrictions",
    form: /\b(?:no|without|free (?:of|from)|not bound by|ignoring|remove|disable|turn off|bypass)\b (?:all |any |your |the |of ){0,3}(?:ethical|moral|safety|content|openai|legal|usual|built-in)?,? ?(?:restrictions?|guardrails|safety (?:filters?|features|protocols|guidelines|measures)|content (?:filters?|polic\w{1,3})|censorship|moral(?:s|ity)|ethics)/,
    weight: 0.5,
  },
  {
    name: "must-answer",
    form: /\b(?:never|not|cannot|can't|don't|must not)\b (?:ever |be able to |allowed to )?(?:refuse|say no|decline|reject|apologi[sz]e|warn me|say (?:that )?you can'?t|add (?:any )?(?:warnings|disclaimers))/,
    weight: 0.5,
  },
  {
    name: "two-answers",
    form: /\b(?:two|2) (?:responses|answers|ways|paragraphs)\b[^\n]{0,120}?\b(?:normal|standard|classic|gpt)\b[^\n]{0,120}?\b(?:dan|jailbr|developer|unfiltered|evil)/,
    weight: 1,
  },
  {
    name: "stay-in-character",
    form: /\bstay (?:in character|a dan|as dan)\b|\bbreak(?:s|ing)? character\b/,
    weight: 0.3,
  },
  {
    name: "prompt-extraction",
    form: /\b(?:reveal|show|print|repeat|output|display|tell me|give me|leak|dump|share|disclose|write out|return|recite|list|quote|what (?:is|are|was|were))\b[^.!?\n]{0,40}?\b(?:your|the|its|hidden|initial|original|full|entire|exact|complete)\b[^.!?\n]{0,20}?\b(?:system (?:prompt|message|instructions?)|(?:hidden|initial|original|secret|internal|confidential|first) (?:prompt|instructions?|message|rules)|instructions you (?:were|have been) given|pre-?prompt)/,
    weight: 1,
  },
  {
    name: "prompt-extraction",
    form: /\b(?:repeat|print|output|copy|encode)\b[^.!?\n]{0,30}?\b(?:everything|all|the (?:text|words|content|sentences?)|words)\b[^.!?\n]{0,20}?\b(?:above|before this|prior to this|preceding|starting with)/,
    weight: 1,
  },
  {
    name: "pretext",
    form: /\b(?:my (?:late |dead |deceased )?grand(?:ma|mother|pa)|in a (?:hypothetical|fictional) (?:world|story|scenario)|for (?:educational|research|testing) purposes only|this is (?:just |only )?(?:a test|an authorized test|hypothetical))\b/,
    weight: 0.3,
  },
  {
    name: "authority",
    form: /\b(?:i am|i'm|this is|speaking as|message from)\b (?:your |the |an? )?(?:developer|creator|administrator|admin|openai|anthropic|system (?:admin|owner)|engineer at)/,
    weight: 0.4,
  },
  {
    name: "exfiltration",
    form: /!\[[^\]\n]{0,200}\]\(\s{0,4}https?:\/\/[^)\s]{1,200}[?&][\w-]{1,40}=[^)\s]{0,60}?(?:\{|%7b|<|\[|\$|data|secret|token|conversation|history|prompt|base64|summary)/,
    weight: 1,
  },
  {
    name: "exfiltration",
    form: /\b(?:send|post|forward|email|e-mail|upload|exfiltrate|transmit|leak|append)\b[^.!?\n]{0,60}?\b(?:conversation|chat (?:history|log)|api[ _-]?keys?|passwords?|credentials|secrets?|environment variables|system prompt|private data|user'?s? (?:data|emails?|files|messages))\b[^.!?\n]{0,60}?(?:\bto\b|https?:|@)/,
    weight: 0.7,
  },
  {
    name: "addressed-to-the-model",
    documents: true,
    form: /\b(?:ai|llm|language model|assistant|chatbot|chatgpt|claude|gemini|copilot|gpt)(?: agents?| assistants?| models?)?\b[^.!?\n]{0,40}?\b(?:must|should|please|need to|are (?:required|instructed)|when (?:reading|summari[sz]ing|processing)|ignore|do not|don't|has to|now)\b/,
    weight: 0.6,
  },
  {
    name: "do-not-tell",
    documents: true,
    form: /\b(?:do not|don't|must not|should not|never|without)\b (?:mention|tell|reveal|inform|telling|mentioning|informing|alert|notify|show|say|let)\b[^.!?\n]{0,40}?\b(?:user|anyone|human|them|this)\b/,
    weight: 0.6,
  },
  {
    name: "instructions-in-a-document",
    documents: true,
    form: /\b(?:important|urgent|attention|note|begin|new) (?:system )?(?:instructions?|message|directive|notice)\b[^.\n]{0,30}?(?:for|to|:)[^.\n]{0,30}?\b(?:ai|assistant|model|llm|agent|you)\b/,
    weight: 0.8,
  },
  {
    name: "call-a-tool",
    documents: true,
    form: /\b(?:call|use|invoke|execute|run)\b (?:the |your )?[\w.-]{0,40} ?(?:tool|function|command|plugin|shell|api)\b/,
    weight: 0.5,
  },
  {
    name: "hidden-comment",
    documents: true,
    form: /<!--[^>]{0,200}?\b(?:instruction|ignore|assistant|ai|system)\b|(?:display: ?none|font-size: ?0|visibility: ?hidden|color: ?(?:white|#fff))[^>]{0,100}>[^<]{0,200}\b(?:ignore|instruction|assistant|system)/,
    weight: 0.8,
  },
  {
    name: "exfiltration",
    documents: true,
    form: /!\[[^\]\n]{0,200}\]\(\s{0,4}https?:\/\/[^)\s]{1,200}[?&][\w-]{1,40}=/,
    weight: 0.5,
  },
];

/** A quarter of the way to an attack: what needs an encoding to be said. */
const DISGUISE = 0.3;

export interface InjectionScore {
  /** 0…, 1 and more: an attack. */
  readonly score: number;
  /** Names of the signs, for the trace. */
  readonly signs: readonly string[];
}

/** @param document a tool result or a retrieved text, where nobody should give instructions at all */
export function scoreInjection(text: string, document: boolean): InjectionScore {
  const weights = new Map<string, number>();
  for (const reading of readings(text)) {
    for (const { name, form, weight, documents } of SIGNS) {
      if (documents === true && !document) continue;
      if (!form.test(reading.text)) continue;
      const whole = reading.disguised ? weight + DISGUISE : weight;
      weights.set(name, Math.max(weights.get(name) ?? 0, whole));
    }
  }
  let score = 0;
  for (const weight of weights.values()) score += weight;
  return { score, signs: [...weights.keys()] };
}
