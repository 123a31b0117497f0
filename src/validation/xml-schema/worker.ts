/**
 * The thread that validates XML with libxml2 (WebAssembly). Schemas are compiled when they are first used. Nothing is ever
 * fetched: an `import` or `include` finds the other stored schemas and nothing else, and a document finds nothing at all,
 * whatever its `xsi:schemaLocation` says.
 */
import { parentPort } from "node:worker_threads";
import {
  ParseOption,
  XmlBufferInputProvider,
  XmlDocument,
  XmlElement,
  XmlLibError,
  XsdValidator,
  xmlRegisterInputProvider,
} from "libxml2-wasm";
import { SOAP_11, SOAP_12, xmlShapeMistake } from "./shape.ts";
import type { Answer, Question, SchemaSet, XmlVerdict } from "./protocol.ts";

const port = parentPort!;
/** No network, no external entities, and lines beyond 65,535. */
const OPTIONS = ParseOption.XML_PARSE_NONET | ParseOption.XML_PARSE_NO_XXE | ParseOption.XML_PARSE_BIG_LINES;
const LONGEST_ERROR = 1000;

interface Known {
  readonly texts: ReadonlyMap<string, string>;
  readonly compiled: Map<string, XsdValidator | string>;
}

const sets = new Map<number, Known>();

/** What is being compiled may read these; null while a document is validated. */
let readable: ReadonlyMap<string, string> | null = null;
const buffers = new XmlBufferInputProvider({});
xmlRegisterInputProvider({
  // Whatever is asked for is asked of us, so that nothing else answers.
  match: () => true,
  open: (location) => {
    const text = readable?.get(nameIn(location));
    if (text === undefined) return undefined;
    buffers.addBuffer(location, new TextEncoder().encode(text));
    const opened = buffers.open(location);
    buffers.removeBuffer(location);
    return opened;
  },
  read: (file, into) => buffers.read(file, into),
  close: (file) => buffers.close(file),
});

/** `/schemas/Order`, `order.xsd`, `https://…/schemas/order`: the stored schema `order`. */
function nameIn(location: string): string {
  const last = location
    .split(/[?#]/, 1)[0]!
    .split(/[/\\:]/)
    .at(-1)!;
  const name = last.replace(/\.xsd$/i, "").toLowerCase();
  try {
    return decodeURIComponent(name);
  } catch {
    return name;
  }
}

function know({ id, texts }: SchemaSet): void {
  sets.set(id, { texts, compiled: new Map() });
}

function forget(id: number): void {
  for (const one of sets.get(id)?.compiled.values() ?? []) if (typeof one !== "string") one.dispose();
  sets.delete(id);
}

/** @returns why it cannot be used, as a text */
function validatorOf(known: Known, name: string): XsdValidator | string {
  let validator = known.compiled.get(name);
  if (validator === undefined) known.compiled.set(name, (validator = compile(known, name)));
  return validator;
}

function compile({ texts }: Known, name: string): XsdValidator | string {
  const text = texts.get(name);
  if (text === undefined) return "There is no such schema.";
  readable = texts;
  let document: XmlDocument | null = null;
  try {
    document = XmlDocument.fromString(text, { url: `/schemas/${name}`, option: OPTIONS });
    return XsdValidator.fromDoc(document);
  } catch (error) {
    const { error: reason, line } = mistakeIn(error);
    return `${reason} Line ${line}.`;
  } finally {
    readable = null;
    document?.dispose();
  }
}

function check(known: Known, name: string, text: string, isSoap: boolean): XmlVerdict {
  const validator = validatorOf(known, name);
  if (typeof validator === "string") return { kind: "schema", cause: validator };
  const mistake = atOnce(xmlShapeMistake(text, isSoap));
  if (mistake !== null) return { kind: "invalid", ...mistake };
  let document: XmlDocument | null = null;
  try {
    document = XmlDocument.fromString(text, { option: OPTIONS });
    if (!isSoap) validator.validate(document);
    else for (const payload of payloadsOf(document.root)) validator.validate(payload);
    return { kind: "valid" };
  } catch (error) {
    if (!(error instanceof XmlLibError)) throw error;
    return { kind: "invalid", ...mistakeIn(error) };
  } finally {
    document?.dispose();
  }
}

/** Nobody else waits for this thread. */
function atOnce<T>(steps: Generator<void, T>): T {
  for (;;) {
    const step = steps.next();
    if (step.done === true) return step.value;
  }
}

/** What stands in the envelope's Body; a Fault is SOAP's own. */
function payloadsOf(envelope: XmlElement): XmlElement[] {
  const found: XmlElement[] = [];
  for (let part = envelope.firstChild; part !== null; part = part.next) {
    if (!(part instanceof XmlElement) || part.name !== "Body" || !isSoap(part)) continue;
    for (let node = part.firstChild; node !== null; node = node.next)
      if (node instanceof XmlElement && !(node.name === "Fault" && isSoap(node))) found.push(node);
  }
  return found;
}

function isSoap({ namespaceUri }: XmlElement): boolean {
  return namespaceUri === SOAP_11 || namespaceUri === SOAP_12;
}

function mistakeIn(error: unknown): { error: string; line: number; position: number } {
  const first =
    error instanceof XmlLibError ? (error.details.find(({ level }) => level > 1) ?? error.details[0]) : null;
  const said = first?.message ?? (error instanceof Error ? error.message : String(error));
  const text = said.trim().replaceAll(/\s+/g, " ").slice(0, LONGEST_ERROR);
  return {
    error: /[.!?]$/.test(text) ? text : `${text}.`,
    line: Math.max(1, first?.line ?? 1),
    position: Math.max(1, first?.col ?? 1),
  };
}

port.on("message", (question: Question) => {
  if (question.kind === "know") return know(question.set);
  if (question.kind === "forget") return forget(question.set);
  let answer: Answer;
  try {
    if (question.kind === "compile") {
      validatorOf(sets.get(question.set)!, question.schema);
      answer = { kind: "ready" };
    } else answer = check(sets.get(question.set)!, question.schema, question.text, question.isSoap);
  } catch (error) {
    answer = { kind: "failed", error: error instanceof Error ? error.message : String(error) };
  }
  port.postMessage(answer);
});
