/**
 * Which tools the demo model calls: the ones it must (`tool_choice` required or named), or those that the
 * last user message names, once per mention. Arguments are built from the tool's schema and the words after
 * the mention.
 */
import { lastText, type Prompt, type Tool } from "./prompt.ts";
import { exampleFor } from "../base/schema-example.ts";

const MAX_CALLS = 16;
/** Tools are looked for in this many characters of the message. */
const MAX_WORDS = 20_000;

interface Mention {
  readonly tool: Tool;
  readonly from: number;
  readonly to: number;
}

/** The calls to make, in order; empty = answer in text. After a tool's result the answer is always text. */
export function toolCalls(prompt: Prompt): { name: string; args: string }[] {
  const choice = prompt.toolChoice;
  if (choice === "none" || prompt.tools.length === 0 || prompt.turns.at(-1)?.role === "tool") return [];
  const tools =
    typeof choice === "object"
      ? prompt.tools.filter((tool) => choice.names.includes(tool.name))
      : prompt.tools;
  const words = lastText(prompt.turns, "user").slice(0, MAX_WORDS);
  const mentions = findMentions(tools, words);
  if (mentions.length === 0) {
    const must = choice === "required" || (typeof choice === "object" && choice.must);
    return must && tools.length > 0 ? [call(tools[0]!, words)] : [];
  }
  const count = prompt.parallelToolCalls ? Math.min(mentions.length, MAX_CALLS) : 1;
  return mentions.slice(0, count).map(({ tool, to }, i) => {
    const after = words.slice(to, mentions[i + 1]?.from);
    // With one mention the values may stand before it too ("Paris is the city: call get_weather").
    return call(tool, mentions.length === 1 ? words : after);
  });
}

function call(tool: Tool, words: string): { name: string; args: string } {
  const value = tool.parameters === undefined ? {} : exampleFor(tool.parameters, words);
  const isObject = typeof value === "object" && value !== null && !Array.isArray(value);
  return { name: tool.name, args: JSON.stringify(isObject ? value : {}) };
}

/** Every place where a tool's name stands as a word of its own, in order. */
function findMentions(tools: readonly Tool[], words: string): Mention[] {
  const lower = words.toLowerCase();
  const found: Mention[] = [];
  for (const tool of tools) {
    const name = tool.name.toLowerCase();
    let at = lower.indexOf(name);
    for (let count = 0; at >= 0 && count < MAX_CALLS; at = lower.indexOf(name, at + name.length)) {
      const to = at + name.length;
      if (isNameCharacter(lower[at - 1]) || isNameCharacter(lower[to])) continue;
      found.push({ tool, from: at, to });
      count++;
    }
  }
  return found.sort((a, b) => a.from - b.from);
}

function isNameCharacter(c: string | undefined): boolean {
  return c !== undefined && /[\w-]/.test(c);
}
