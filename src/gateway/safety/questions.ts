/** From the texts of a request to the questions that a guard is asked about them (`ai-policies.md` §4.3 to §4.5). */
import type { ShieldQuestion } from "../../guards/guard.ts";
import type { RequestTexts, TurnText, Whose } from "./request-texts.ts";

/** UTF-16 units that neighbouring pieces of a text share: more than the longest item of a blocklist has (128). */
export const OVERLAP = 200;
/** Of one call of the prompt shield. */
const MOST_DOCUMENTS = 5;

export interface Questions {
  readonly analyze: readonly string[];
  readonly shield: readonly ShieldQuestion[];
}

/**
 * @param most UTF-16 units that one question may have
 * @param concatenate everything is one text, as in Azure API Management
 */
export function questionsOf(
  { turns }: RequestTexts,
  most: number,
  concatenate: boolean,
  shields: boolean,
): Questions {
  if (concatenate) {
    const all = pieces(turns.flatMap(({ parts }) => parts).join("\n"), most);
    const shield = shields ? all.map((userPrompt) => ({ userPrompt, documents: [] })) : [];
    return { analyze: all, shield };
  }
  const users = turns.filter(({ whose }) => whose === "user");
  // What is new stands alone; what was said before was judged when it was new, and may share a question.
  const last = users.length === 0 ? [] : packed(renditions(users.at(-1)!.parts), most);
  const earlier = packed(users.slice(0, -1).flatMap(rendered), most);
  const analyze = [...last, ...earlier];
  for (const whose of OTHERS) analyze.push(...packed(turns.filter(isOf(whose)).flatMap(rendered), most));
  return { analyze, shield: shields ? shieldQuestions([...last, ...earlier], turns, most) : [] };
}

const OTHERS: readonly Whose[] = ["tool", "system", "assistant", "rest"];

function isOf(whose: Whose): (turn: TurnText) => boolean {
  return (turn) => turn.whose === whose;
}

function rendered({ parts }: TurnText): string[] {
  return renditions(parts);
}

/** The users' words as prompts, what tools and documents brought beside the newest of them. */
function shieldQuestions(
  prompts: readonly string[],
  turns: readonly TurnText[],
  most: number,
): ShieldQuestion[] {
  const documents = turns.filter(isOf("tool")).flatMap(rendered);
  const batches = batchesOf(
    documents.flatMap((text) => pieces(text, most)),
    most,
  );
  const questions: ShieldQuestion[] = [];
  const count = Math.max(prompts.length, batches.length);
  for (let i = 0; i < count; i++)
    questions.push({ userPrompt: prompts[i] ?? prompts[0] ?? "", documents: batches[i] ?? [] });
  return questions;
}

/** Documents of one question have `most` units together. */
function batchesOf(documents: readonly string[], most: number): string[][] {
  const batches: string[][] = [];
  let room = 0;
  for (const document of documents) {
    const batch = batches.at(-1);
    if (batch === undefined || batch.length >= MOST_DOCUMENTS || document.length > room) {
      batches.push([document]);
      room = most - document.length;
    } else {
      batch.push(document);
      room -= document.length;
    }
  }
  return batches;
}

/**
 * The parts of one message as a reader may put them together: one below the other, and, where a word could have been cut
 * in two, without a gap as well.
 */
export function renditions(parts: readonly string[]): string[] {
  if (parts.length === 1) return [parts[0]!];
  const apart = parts.join("\n");
  for (let i = 1; i < parts.length; i++)
    if (WORD_END.test(parts[i - 1]!) && WORD_START.test(parts[i]!)) return [apart, parts.join("")];
  return [apart];
}

const WORD_END = /[\p{L}\p{N}\p{M}]$/u;
const WORD_START = /^[\p{L}\p{N}\p{M}]/u;

/** Short texts share a question, long ones have several. */
export function packed(texts: readonly string[], most: number, overlap = OVERLAP): string[] {
  const questions: string[] = [];
  let open = "";
  for (const text of texts) {
    if (text.trim() === "") continue;
    if (open !== "" && open.length + 2 + text.length <= most) {
      open += `\n\n${text}`;
      continue;
    }
    if (open !== "") questions.push(open);
    open = "";
    if (text.length <= most) open = text;
    else questions.push(...pieces(text, most, overlap));
  }
  if (open !== "") questions.push(open);
  return questions;
}

/** A text in pieces of at most `most` units, each beginning with the end of the one before; no character is cut in two. */
export function pieces(text: string, most: number, shared = OVERLAP): string[] {
  if (text.length <= most) return text.trim() === "" ? [] : [text];
  const overlap = Math.min(shared, most - 2);
  const found: string[] = [];
  for (let from = 0; ;) {
    const to = characterStart(text, Math.min(text.length, from + most));
    found.push(text.slice(from, to));
    if (to >= text.length) return found;
    from = characterStart(text, to - overlap);
  }
}

/** `at`, or one less where that is the middle of a character. */
export function characterStart(text: string, at: number): number {
  const code = text.charCodeAt(at);
  return at > 0 && code >= 0xdc00 && code <= 0xdfff ? at - 1 : at;
}
