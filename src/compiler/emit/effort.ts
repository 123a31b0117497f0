/**
 * Time for what one call may do. The clock is looked at every 1,024 steps, but a call on a text of ten million
 * characters takes milliseconds and is one step. So before a library member gets a long text or a large collection,
 * the next look at the clock comes nearer in proportion to the size. Members that take the same time however large
 * the value is (`Length`, `Count`, `[i]`, `Add` …) are exempt.
 */
import { hasten } from "../runtime/budget.ts";
import type { Member, Type } from "../runtime/type.ts";
import type { Run } from "./code.ts";

/** Units (characters, elements, octets) that cost nothing. */
const FREE = 4096;

/** 512 units count like one step. */
const SHIFT = 9;

type Pay = (value: any) => void;

export function payText(text: string | null): void {
  if (text !== null && text.length > FREE) hasten(text.length >>> SHIFT);
}

function payBytes(bytes: Uint8Array | null): void {
  if (bytes !== null && bytes.length > FREE) hasten(bytes.length >>> SHIFT);
}

/** Arrays and lists hold their elements in `items`; other collections count for themselves. */
function payItems(collection: { readonly items?: readonly unknown[] } | null): void {
  const size = collection?.items?.length;
  if (size !== undefined && size > FREE) hasten(size >>> SHIFT);
}

function payBuilder(builder: { readonly text: string } | null): void {
  if (builder !== null) payText(builder.text);
}

function payAny(value: unknown): void {
  if (typeof value === "string") payText(value);
  else if (value instanceof Uint8Array) payBytes(value);
  else if (typeof value === "object") payItems(value as { items?: unknown[] } | null);
}

let last: string | null = null;
let lastButOne: string | null = null;

/**
 * A text that JavaScript has put together lazily is written out when somebody first looks at a character of it. That
 * has to be paid once; after that, looking at characters of the same text (or of two in turn) is free.
 */
function payFirstLook(text: string | null): void {
  if (text === null || text.length <= FREE || text === last || text === lastButOne) return;
  hasten(text.length >>> SHIFT);
  lastButOne = last;
  last = text;
}

function payFirstLookInside(builder: { readonly text: string } | null): void {
  if (builder !== null) payFirstLook(builder.text);
}

/** Do not keep long texts alive after the evaluation that made them. */
export function forgetTexts(): void {
  last = null;
  lastButOne = null;
}

/** What a value of this static type may cost; null when it is always small or counts for itself. */
function payment(type: Type): Pay | null {
  if (type.kind === "array") return type.element.name === "System.Byte" ? payBytes : payItems;
  if (type.kind !== "named") return null;
  const { fullName } = type.definition;
  if (fullName === "System.String") return payText;
  if (fullName === "System.Object") return payAny;
  if (fullName === "System.Text.StringBuilder") return payBuilder;
  return fullName.startsWith("System.Collections.Generic.") ? payItems : null;
}

/** Members of texts that look at a part of them only. */
const FIRST_LOOK = new Set("this[] Substring StartsWith EndsWith".split(" "));

const LIGHT = new Set(
  "this[] Length Count Add Append AppendLine ContainsKey TryGetValue Push Pop Peek Enqueue Dequeue Key Value GetEnumerator".split(
    " ",
  ),
);

/** An argument of a library member, accounted for before the member gets it. */
export function paidArgument(run: Run, type: Type): Run {
  return paid(run, payment(type));
}

export function paidReceiver(run: Run, type: Type, member: Member): Run {
  if (FIRST_LOOK.has(member.name) && type.kind === "named") {
    if (type.definition.fullName === "System.String") return paid(run, payFirstLook);
    if (type.definition.fullName === "System.Text.StringBuilder") return paid(run, payFirstLookInside);
  }
  return LIGHT.has(member.name) ? run : paid(run, payment(type));
}

function paid(run: Run, pay: Pay | null): Run {
  if (pay === null) return run;
  return (c, f) => {
    const value = run(c, f);
    pay(value);
    return value;
  };
}
