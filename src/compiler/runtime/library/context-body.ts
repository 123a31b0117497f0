/**
 * `IMessageBody` (`expressions.md` §4.3). What is parsed from a body is kept with it (`HostBody.parsed`), immutable,
 * so that a body is parsed once however many expressions read it.
 */
import { isUtf8 } from "node:buffer";
import { spend } from "../budget.ts";
import { defineType, generic, lookupType } from "../define.ts";
import { NetException, argumentNull, invalidOperation } from "../errors.ts";
import type { HostBody } from "../host.ts";
import { type Type, instantiate } from "../type.ts";
import { typeNamed } from "../values.ts";
import { NetDictionary } from "./collections-dictionary.ts";
import { NetList } from "./collections-list.ts";
import { type Pair, elements } from "./collections.ts";
import { findEncoding, utf8Text } from "./encoding.ts";
import type { Raw } from "./json/raw.ts";
import { readJson } from "./json/reader.ts";
import { tokenOf } from "./json/token.ts";
import { late } from "./late.ts";

type Reader = (body: HostBody) => unknown;
const readers = new Map<string, Reader>();

/** Lets `As<T>` read another type: the XML types say so in their own file. */
export function defineBodyType(typeName: string, read: Reader): void {
  readers.set(typeName, read);
}

/** The text of a body: by its charset, UTF-8 without one, byte order mark removed. */
export function bodyText(body: HostBody): string {
  const known = body.parsed.get("text");
  if (known !== undefined) return known as string;
  const bytes = body.bytes();
  spend(1 + (bytes.length >>> 10));
  const encoding = body.charset === null ? null : findEncoding(body.charset);
  let text = encoding === null ? utf8Text(bytes) : encoding.decode(bytes);
  if (text.charCodeAt(0) === 0xfeff) text = text.slice(1);
  body.parsed.set("text", text);
  return text;
}

/** `<?xml … encoding="x"`; only octets of ASCII are looked at, and only the first few. */
const DECLARED = /^(?:\ufeff|\u00ef\u00bb\u00bf)?<\?xml[^>]{0,100}?\sencoding\s*=\s*["']([\w.:-]+)["']/;

/**
 * The text of a body that is XML: what says the charset is a byte order mark of UTF-16, then Content-Type, then the XML
 * declaration (RFC 7303 §3).
 */
export function bodyXml(body: HostBody): string {
  const bytes = body.bytes();
  const name = markedCharset(bytes) ?? (body.charset === null ? declaredCharset(bytes) : null);
  const encoding = name === null ? null : findEncoding(name);
  if (encoding === null) return bodyText(body);
  spend(1 + (bytes.length >>> 10));
  const text = encoding.decode(bytes);
  return text.charCodeAt(0) === 0xfeff ? text.slice(1) : text;
}

function markedCharset(bytes: Uint8Array): string | null {
  if (bytes[0] === 0xff && bytes[1] === 0xfe) return "utf-16";
  return bytes[0] === 0xfe && bytes[1] === 0xff ? "utf-16BE" : null;
}

/** null: none is said, or it is UTF-8 whatever is said, as what a policy has made of a text is. */
function declaredCharset(bytes: Uint8Array): string | null {
  const name = DECLARED.exec(Buffer.from(bytes.subarray(0, 150)).toString("latin1"))?.[1]?.toLowerCase();
  if (name === undefined || name === "utf-8" || name.startsWith("utf-16")) return null;
  return isUtf8(bytes) ? null : name;
}

function json(body: HostBody, what: "JObject" | "JArray" | "JToken"): unknown {
  let raw = body.parsed.get("json") as Raw | undefined;
  if (raw === undefined) {
    raw = parse(bodyText(body), "JToken");
    body.parsed.set("json", raw);
  }
  const fits = what === "JToken" || (what === "JObject" ? raw instanceof Map : Array.isArray(raw));
  return tokenOf(fits ? raw : parse(bodyText(body), what));
}

function parse(text: string, what: "JObject" | "JArray" | "JToken"): Raw {
  try {
    return readJson(text, what, { keepDateText: true });
  } catch (error) {
    if (!(error instanceof NetException)) throw error;
    throw new NetException(error.typeName, `The message body is not a valid JSON. ${error.message}`, error);
  }
}

defineBodyType("System.String", bodyText);
defineBodyType("System.Byte[]", (body) => new Uint8Array(body.bytes()));
for (const name of ["JObject", "JArray", "JToken"] as const) {
  defineBodyType(`Newtonsoft.Json.Linq.${name}`, (body) => json(body, name));
}

/** Runs a read; without `preserve` the message has no body afterwards. @throws InvalidOperationException on a second read */
function reading<T>(body: HostBody, preserve: boolean, read: (body: HostBody) => T): T {
  if (body.consumed) {
    throw invalidOperation(
      "The message body was already read. Pass preserveContent: true to read it more than once.",
    );
  }
  const value = read(body);
  if (!preserve) body.consume();
  return value;
}

/** What is wrong with `As<T>` for this T, or null. */
function unreadable(types: readonly Type[]): string | null {
  return readers.has(types[0]!.name) ? null : `A message body cannot be read as ${types[0]!.name}.`;
}

// --- Form content.

const textType = (): Type => typeNamed("System.String");
const textList = (): Type => instantiate(lookupType("System.Collections.Generic.IList", 1), [textType()]);

/** Form fields. Reading a missing key makes an empty list there, so that `form["new"].Add(…)` works (§4.3). */
class FormContent extends NetDictionary {
  constructor() {
    super(textType(), textList());
  }

  override get(key: unknown): unknown {
    if (key === null) throw argumentNull("key");
    const known = this.table.find(key);
    if (known !== null) return known.value;
    const list = new NetList(textType());
    this.table.add(key, list);
    return list;
  }
}

function form(body: HostBody): FormContent {
  const content = new FormContent();
  for (const part of bodyText(body).split("&")) {
    if (part === "") continue;
    spend();
    const equals = part.indexOf("=");
    const name = urlDecode(equals < 0 ? part : part.slice(0, equals));
    (content.get(name) as NetList).add(equals < 0 ? "" : urlDecode(part.slice(equals + 1)));
  }
  return content;
}

const TEXT = ["System.String"];
const urlDecode: (text: string) => string = late("System.Net.WebUtility", "UrlDecode", TEXT);
const urlEncode: (text: string) => string = late("System.Net.WebUtility", "UrlEncode", TEXT);
const escapeData: (text: string) => string = late("System.Uri", "EscapeDataString", TEXT);

/** `k=v&k=w`; null when there is no field. */
function encodeForm(content: unknown, encode: (text: string) => string): string | null {
  const parts: string[] = [];
  for (const { key, value } of elements(content, "dictionary") as Iterable<Pair>) {
    for (const item of elements(value)) {
      spend();
      parts.push(`${encode(key as string)}=${item === null ? "" : encode(item as string)}`);
    }
  }
  return parts.length === 0 ? null : parts.join("&");
}

const READS_BODY = { needs: "body", verifyTypes: unreadable } as const;

defineType("interface Gateway.IMessageBody", {
  "T As<T>(bool preserveContent = false)": generic(([T]) => {
    const read = readers.get(T!.name);
    if (read === undefined) {
      return () => {
        throw invalidOperation(unreadable([T!])!);
      };
    }
    return (body, preserve) => reading(body, preserve, read);
  }, READS_BODY),
  "IDictionary<string, IList<string>> AsFormUrlEncodedContent(bool preserveContent = false)": (
    body: HostBody,
    preserve: boolean,
  ) => reading(body, preserve, form),
});

defineType(
  "static Gateway.FormExtensions",
  {
    "static string ToFormUrlEncodedContent(this IDictionary<string, IList<string>> dictionary)": (
      content: unknown,
    ) => encodeForm(content, urlEncode),
    "static string ToQueryString(this IDictionary<string, IList<string>> dictionary)": (content: unknown) => {
      const query = encodeForm(content, escapeData);
      return query === null ? "" : `?${query}`;
    },
  },
  { nameable: false },
);
