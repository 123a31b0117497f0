/**
 * XML → JSON, in the two forms of `policies.md` 43.
 *
 * - `direct` is Newtonsoft's: attributes `@name`, text beside other things `#text`, `#cdata-section`, `?xml`; elements
 *   of one name are an array, an empty element is null, everything else is text. `json:Array="true"` makes an array.
 * - `javascript-friendly` drops prefixes and declarations; attributes are members like the elements, and text beside
 *   them is `value`.
 */
import { decodeXmlName } from "../../base/xml-names.ts";
import { type XmlTag, readXmlInSteps } from "../../base/xml-events.ts";
import { spend } from "../../compiler/runtime/budget.ts";

export interface XmlToJson {
  readonly friendly: boolean;
  /** Child elements are arrays even when there is one of a name. */
  readonly alwaysArrays: boolean;
}

/** What stood under a name: its values as JSON, separated by commas, so that there is no tree to be written later. */
interface Member {
  json: string;
  /** What comes after it: many short pieces, which are made one before they are too many. */
  tail: string;
  isArray: boolean;
}
type Members = Map<string, Member>;

interface Open {
  readonly name: string;
  readonly members: Members;
  /** All its own text, CDATA included. */
  text: string;
  /** Pieces of text that are not white space alone, as far as they are no members yet. */
  readonly runs: string[];
  readonly isSelfClosing: boolean;
  readonly forcesArray: boolean;
}

const JSON_URI = "http://james.newtonking.com/projects/json";
const XMLNS_URI = "http://www.w3.org/2000/xmlns/";

/**
 * In steps, for `runInSlices`.
 *
 * @throws XmlMistake, BudgetError
 */
export function* jsonOfXml(text: string, options: XmlToJson, maxDepth: number): Generator<void, string> {
  const root = opened("", false, false);
  const open: Open[] = [root];
  let pending = "";
  const flush = (): void => {
    if (pending.trim() !== "") {
      const element = open.at(-1)!;
      if (options.friendly) element.runs.push(pending);
      else add(element.members, "#text", quoted(pending), false);
    }
    pending = "";
  };
  yield* readXmlInSteps(text, maxDepth, {
    declaration: (declaration) => {
      if (options.friendly) return;
      const members: Members = new Map();
      for (const part of ["version", "encoding", "standalone"] as const) {
        const value = declaration[part];
        if (value !== undefined) add(members, `@${part}`, quoted(value), false);
      }
      add(root.members, "?xml", json(members), false);
    },
    open: (tag) => {
      spend();
      flush();
      open.push(begin(tag, options));
    },
    close: () => {
      const element = open.at(-1)!;
      // Text alone needs no object around it.
      const isText = element.members.size === 0 && element.runs.length === 0;
      if (isText && pending.trim() !== "") element.runs.push(pending);
      else flush();
      pending = "";
      open.pop();
      const isRoot = open.length === 1;
      add(
        open.at(-1)!.members,
        element.name,
        valueOf(element, options),
        !isRoot && (options.alwaysArrays || element.forcesArray),
      );
    },
    text: (part) => {
      pending += part;
      open.at(-1)!.text += part;
    },
    cdata: (part) => {
      const element = open.at(-1)!;
      if (options.friendly) pending += part;
      else {
        flush();
        add(element.members, "#cdata-section", quoted(part), false);
      }
      element.text += part;
    },
    instruction: (target, data) => {
      if (!options.friendly) add(open.at(-1)!.members, `?${target}`, quoted(data), false);
    },
  });
  return json(root.members);
}

function opened(name: string, isSelfClosing: boolean, forcesArray: boolean): Open {
  return { name, members: new Map(), text: "", runs: [], isSelfClosing, forcesArray };
}

function begin(tag: XmlTag, options: XmlToJson): Open {
  const name = decodeXmlName(options.friendly ? tag.local : tag.name);
  const element = opened(name, tag.isSelfClosing, tag.attributes.some(asksForArray));
  for (const { name, local, uri, value } of tag.attributes) {
    if (uri === JSON_URI) continue;
    if (!options.friendly) {
      if (uri !== XMLNS_URI || value !== JSON_URI)
        add(element.members, `@${decodeXmlName(name)}`, quoted(value), false);
    } else if (uri !== XMLNS_URI && name !== "xmlns")
      add(element.members, decodeXmlName(local), quoted(value), false);
  }
  return element;
}

function asksForArray({ uri, local, value }: XmlTag["attributes"][number]): boolean {
  return uri === JSON_URI && local === "Array" && value === "true";
}

/** As JSON. */
function valueOf({ members, runs, text, isSelfClosing }: Open, { friendly }: XmlToJson): string {
  if (members.size === 0) return isSelfClosing ? "null" : runs.length === 0 ? '""' : quoted(text);
  if (friendly && runs.length > 0) add(members, "value", quoted(runs.join("")), false);
  return json(members);
}

/** Shorter pieces are gathered; longer ones stay as they are, so that nothing is copied more than once. */
const PIECE = 4096;

function add(members: Members, name: string, value: string, isArray: boolean): void {
  let member = members.get(name);
  if (member === undefined) members.set(name, (member = { json: "", tail: "", isArray }));
  else {
    member.tail += ",";
    member.isArray = true;
  }
  if (value.length < PIECE) {
    member.tail += value;
    if (member.tail.length < PIECE) return;
    member.json += inOne(member.tail);
  } else {
    member.json += inOne(member.tail);
    member.json += value;
  }
  member.tail = "";
}

/** A text that was put together of many has its characters in one place once one of them is asked for. */
function inOne(text: string): string {
  text.charCodeAt(0);
  return text;
}

/** By `+` alone, which copies nothing: copying would cost each level of elements once more. */
function json(members: Members): string {
  let text = "";
  let tail = "{";
  let isFirst = true;
  for (const [name, member] of members) {
    if (!isFirst) tail += ",";
    isFirst = false;
    tail += quoted(name);
    tail += member.isArray ? ":[" : ":";
    if (member.json !== "") {
      text += inOne(tail);
      text += member.json;
      tail = "";
    }
    tail += member.tail;
    if (member.isArray) tail += "]";
    if (tail.length < PIECE) continue;
    text += inOne(tail);
    tail = "";
  }
  return text + tail + "}";
}

function quoted(text: string): string {
  return JSON.stringify(text);
}
