/** String concatenation and interpolation: text of each part by its static type, null as empty text. */
import type { BoundConcat, BoundExpression, BoundInterpolation } from "../csharp/bound.ts";
import { checkLength } from "../runtime/budget.ts";
import { boxer } from "../runtime/cast.ts";
import { type Type, underlyingOfNullable } from "../runtime/type.ts";
import { formatted, textOf } from "../runtime/values.ts";
import type { FunctionScope, Run } from "./code.ts";
import { emitExpression } from "./expressions.ts";

/** Turns a raw value of `type` into its text. */
export function textMaker(type: Type): (value: any) => string {
  switch (type.kind === "named" ? (underlyingOfNullable(type) ?? type).name : "") {
    case "System.String":
      return (value: string | null) => value ?? "";
    case "System.Boolean":
      return (value: boolean | null) => (value === null ? "" : value ? "True" : "False");
    case "System.Char":
      return (value: number | null) => (value === null ? "" : String.fromCharCode(value));
    case "System.SByte":
    case "System.Byte":
    case "System.Int16":
    case "System.UInt16":
    case "System.Int32":
    case "System.UInt32":
    case "System.Int64":
    case "System.UInt64":
      return (value: number | bigint | null) => (value === null ? "" : value.toString());
  }
  const toBox = boxer(type);
  return toBox === null ? textOf : (value) => textOf(toBox(value));
}

/** Short texts need no look at the limit: it is far above what a few of them can reach. */
const SHORT = 4096;

function joined(text: string): string {
  if (text.length > SHORT) checkLength(text.length);
  return text;
}

const isString = (part: BoundExpression): boolean =>
  part.type.kind === "named" && part.type.name === "System.String";

/** A part of a concatenation as text. */
function emitText(part: BoundExpression, scope: FunctionScope): Run {
  const run = emitExpression(part, scope);
  if (part.kind === "constant") {
    const text = textMaker(part.type)(part.value);
    return () => text;
  }
  if (isString(part)) return (c, f) => run(c, f) ?? "";
  const text = textMaker(part.type);
  return (c, f) => text(run(c, f));
}

export function emitConcat(node: BoundConcat, scope: FunctionScope): Run {
  const { parts } = node;
  const [first, second, third] = parts;
  if (parts.length === 2) {
    if (first!.kind === "constant") {
      const text = textMaker(first!.type)(first!.value);
      const run = emitText(second!, scope);
      return (c, f) => joined(text + run(c, f));
    }
    if (second!.kind === "constant") {
      const text = textMaker(second!.type)(second!.value);
      const run = emitText(first!, scope);
      return (c, f) => joined(run(c, f) + text);
    }
    const [a, b] = [emitText(first!, scope), emitText(second!, scope)];
    return (c, f) => joined(a(c, f) + b(c, f));
  }
  if (parts.length === 3) {
    const [a, b, d] = [emitText(first!, scope), emitText(second!, scope), emitText(third!, scope)];
    return (c, f) => joined(a(c, f) + b(c, f) + d(c, f));
  }
  const runs = parts.map((part) => emitText(part, scope));
  return (c, f) => {
    let text = "";
    for (let i = 0; i < runs.length; i++) text += runs[i]!(c, f);
    return joined(text);
  };
}

export function emitInterpolation(node: BoundInterpolation, scope: FunctionScope): Run {
  const runs = node.parts.map((part): Run => {
    if (typeof part === "string") return () => part;
    const { expression, alignment, format } = part;
    const text = emitFormatted(expression, format, scope);
    if (alignment === 0) return text;
    return (c, f) => padded(text(c, f), alignment);
  });
  return (c, f) => {
    let text = "";
    for (const run of runs) text += run(c, f);
    return joined(text);
  };
}

function emitFormatted(expression: BoundExpression, format: string | null, scope: FunctionScope): Run {
  if (format === null || format === "") return emitText(expression, scope);
  const run = emitExpression(expression, scope);
  const toBox = boxer(expression.type);
  if (toBox === null) return (c, f) => formatted(run(c, f), format);
  return (c, f) => formatted(toBox(run(c, f)), format);
}

function padded(text: string, alignment: number): string {
  const width = Math.abs(alignment);
  if (width <= text.length) return text;
  checkLength(width);
  return alignment < 0 ? text.padEnd(width) : text.padStart(width);
}
