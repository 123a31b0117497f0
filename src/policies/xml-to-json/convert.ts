/**
 * XML → JSON, in the two forms of `policies.md` 43.
 *
 * - `direct` is Newtonsoft's: attributes `@name`, text beside other things `#text`, `#cdata-section`, `?xml`; elements
 *   of one name are an array, an empty element is null, everything else is text. `json:Array="true"` makes an array.
 * - `javascript-friendly` drops prefixes and declarations; attributes are members like the elements, and text beside
 *   them is `value`.
 */
import { decodeXmlName } from "../../base/xml-names.ts";
import { type XmlTag, readXmlEvents } from "../../base/xml-events.ts";
import { spend } from "../../compiler/runtime/budget.ts";

export interface XmlToJson {
  readonly friendly: boolean;
  /** Child elements are arrays even when there is one of a name. */
  readonly alwaysArrays: boolean;
}

/** Every member is a list of what stood there, so that nothing has to be turned into one later. */
type Member = { readonly values: Value[]; isArray: boolean };
type Value = string | null | Members;
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

/** @throws XmlMistake, BudgetError */
export function jsonOfXml(text: string, options: XmlToJson, maxDepth: number): string {
  const root = opened("", false, false);
  const open: Open[] = [root];
  let pending = "";
  const flush = (): void => {
    if (pending.trim() !== "") {
      const element = open.at(-1)!;
      if (options.friendly) element.runs.push(pending);
      else add(element.members, "#text", pending, false);
    }
    pending = "";
  };
  readXmlEvents(text, maxDepth, {
    declaration: (declaration) => {
      if (options.friendly) return;
      const members: Members = new Map();
      for (const part of ["version", "encoding", "standalone"] as const) {
        const value = declaration[part];
        if (value !== undefined) add(members, `@${part}`, value, false);
      }
      add(root.members, "?xml", members, false);
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
        add(element.members, "#cdata-section", part, false);
      }
      element.text += part;
    },
    instruction: (target, data) => {
      if (!options.friendly) add(open.at(-1)!.members, `?${target}`, data, false);
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
        add(element.members, `@${decodeXmlName(name)}`, value, false);
    } else if (uri !== XMLNS_URI && name !== "xmlns")
      add(element.members, decodeXmlName(local), value, false);
  }
  return element;
}

function asksForArray({ uri, local, value }: XmlTag["attributes"][number]): boolean {
  return uri === JSON_URI && local === "Array" && value === "true";
}

function valueOf({ members, runs, text, isSelfClosing }: Open, { friendly }: XmlToJson): Value {
  if (members.size === 0) return isSelfClosing ? null : runs.length === 0 ? "" : text;
  if (friendly && runs.length > 0) add(members, "value", runs.join(""), false);
  return members;
}

function add(members: Members, name: string, value: Value, isArray: boolean): void {
  const known = members.get(name);
  if (known === undefined) members.set(name, { values: [value], isArray });
  else {
    known.values.push(value);
    known.isArray = true;
  }
}

/** Depth is bounded by the reader's. */
function json(members: Members): string {
  const parts: string[] = [];
  for (const [name, { values, isArray }] of members) {
    const written = values.map(valueJson);
    parts.push(`${JSON.stringify(name)}:${isArray ? `[${written.join(",")}]` : written[0]!}`);
  }
  return `{${parts.join(",")}}`;
}

function valueJson(value: Value): string {
  return value instanceof Map ? json(value) : JSON.stringify(value);
}
