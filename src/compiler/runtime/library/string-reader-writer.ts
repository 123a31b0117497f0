/** System.IO.StringReader and StringWriter, with the parts of TextReader and TextWriter that they show. */
import { checkLength, spend } from "../budget.ts";
import { accessor, defineType } from "../define.ts";
import { NetException, argumentError, argumentNull, argumentOutOfRange } from "../errors.ts";
import { environment } from "../environment.ts";
import type { Type } from "../type.ts";
import { NetArray, type NetObject, TYPE, box, needsBoxing, textOf, typeNamed } from "../values.ts";
import { formatComposite } from "./format-composite.ts";
import { fromUnits } from "./string-edit.ts";
import { StringBuilder } from "./stringbuilder.ts";

export class StringReader implements NetObject {
  #text: string | null;
  #at = 0;

  constructor(text: string | null) {
    if (text === null) throw argumentNull("s");
    this.#text = text;
  }
  get [TYPE](): Type {
    return typeNamed("System.IO.StringReader");
  }
  dispose(): void {
    this.#text = null;
  }
  #open(): string {
    if (this.#text === null) {
      throw new NetException("System.ObjectDisposedException", "Cannot read from a closed TextReader.");
    }
    return this.#text;
  }
  peek(): number {
    const text = this.#open();
    return this.#at < text.length ? text.charCodeAt(this.#at) : -1;
  }
  read(): number {
    const text = this.#open();
    return this.#at < text.length ? text.charCodeAt(this.#at++) : -1;
  }
  /** Without its end; null behind the last. Lines end with CR, LF or both. */
  readLine(): string | null {
    const text = this.#open();
    if (this.#at >= text.length) return null;
    spend();
    const ends = /\r\n?|\n/g;
    ends.lastIndex = this.#at;
    const end = ends.exec(text);
    const line = text.slice(this.#at, end === null ? text.length : end.index);
    checkLength(line.length);
    this.#at = end === null ? text.length : ends.lastIndex;
    return line;
  }
  readToEnd(): string {
    const rest = this.#open().slice(this.#at);
    this.#at = this.#open().length;
    return rest;
  }
  readInto(buffer: NetArray | null, index: number, count: number): number {
    if (buffer === null) throw argumentNull("buffer");
    if (index < 0) throw argumentOutOfRange("index", "Non-negative number required.");
    if (count < 0) throw argumentOutOfRange("count", "Non-negative number required.");
    if (buffer.items.length - index < count) {
      throw argumentError(
        "Offset and length were out of bounds for the array or count is greater than the number of elements from index to the end of the source collection.",
      );
    }
    const text = this.#open();
    const taken = Math.min(count, text.length - this.#at);
    spend(taken >>> 4);
    for (let i = 0; i < taken; i++) buffer.items[index + i] = text.charCodeAt(this.#at++);
    return taken;
  }
}

defineType(
  "class System.IO.TextReader : System.IDisposable",
  {
    "int Peek()": (reader: StringReader) => reader.peek(),
    "int Read()": (reader: StringReader) => reader.read(),
    "int Read(char[] buffer, int index, int count)": (
      reader: StringReader,
      buffer: NetArray | null,
      index: number,
      count: number,
    ) => reader.readInto(buffer, index, count),
    "string ReadLine()": (reader: StringReader) => reader.readLine(),
    "string ReadToEnd()": (reader: StringReader) => reader.readToEnd(),
    "void Close()": (reader: StringReader) => reader.dispose(),
    "void Dispose()": (reader: StringReader) => reader.dispose(),
  },
  { nameable: false },
);
defineType("class System.IO.StringReader : System.IO.TextReader", {
  "StringReader(string s)": (text: string | null) => new StringReader(text),
});

class StringWriter implements NetObject {
  readonly builder: StringBuilder;
  newLine: string;
  #closed = false;

  constructor(builder: StringBuilder) {
    this.builder = builder;
    this.newLine = environment().newLine;
  }
  get [TYPE](): Type {
    return typeNamed("System.IO.StringWriter");
  }
  netToString(): string {
    return this.builder.text;
  }
  dispose(): void {
    this.#closed = true;
  }
  write(text: string): void {
    if (this.#closed) {
      throw new NetException("System.ObjectDisposedException", "Cannot write to a closed TextWriter.");
    }
    this.builder.append(text);
  }
}

const writes: Record<string, (...args: any[]) => unknown> = {};
const PRINTED: Readonly<Record<string, string>> = {
  bool: "Boolean",
  char: "Char",
  int: "Int32",
  uint: "UInt32",
  long: "Int64",
  ulong: "UInt64",
  float: "Single",
  double: "Double",
  decimal: "Decimal",
  object: "Object",
  string: "String",
};
for (const [keyword, name] of Object.entries(PRINTED)) {
  const text = (value: unknown): string => {
    if (name === "Char") return String.fromCharCode(value as number);
    const type = typeNamed(`System.${name}`);
    return textOf(needsBoxing(type) ? box(value, type) : value);
  };
  writes[`void Write(${keyword} value)`] = (writer: StringWriter, value: unknown) =>
    writer.write(text(value));
  writes[`void WriteLine(${keyword} value)`] = (writer: StringWriter, value: unknown) =>
    writer.write(text(value) + writer.newLine);
}

/** `Write(format, args…)` and `WriteLine(format, args…)`. */
function formats(
  end: (writer: StringWriter) => string,
  name: string,
): Record<string, (...args: any[]) => unknown> {
  const write = (writer: StringWriter, format: string | null, args: readonly unknown[]): void =>
    writer.write(formatComposite(format, args) + end(writer));
  return {
    [`void ${name}(string format, object arg0)`]: (
      writer: StringWriter,
      format: string | null,
      ...args: unknown[]
    ) => write(writer, format, args),
    [`void ${name}(string format, object arg0, object arg1)`]: (
      writer: StringWriter,
      format: string | null,
      ...args: unknown[]
    ) => write(writer, format, args),
    [`void ${name}(string format, object arg0, object arg1, object arg2)`]: (
      writer: StringWriter,
      format: string | null,
      ...args: unknown[]
    ) => write(writer, format, args),
    [`void ${name}(string format, params object[] arg)`]: (
      writer: StringWriter,
      format: string | null,
      args: NetArray | null,
    ) => {
      if (args === null) throw argumentNull("arg");
      write(writer, format, args.items);
    },
    [`void ${name}(char[] buffer)`]: (writer: StringWriter, buffer: NetArray | null) =>
      writer.write(fromUnits((buffer?.items ?? []) as number[]) + end(writer)),
  };
}

defineType(
  "class System.IO.TextWriter : System.IDisposable",
  {
    ...writes,
    ...formats(() => "", "Write"),
    ...formats((writer) => writer.newLine, "WriteLine"),
    "void WriteLine()": (writer: StringWriter) => writer.write(writer.newLine),
    "string NewLine { get; set; }": accessor(
      (writer: StringWriter) => writer.newLine,
      (writer: StringWriter, value: string | null) => {
        writer.newLine = value ?? environment().newLine;
      },
    ),
    "void Flush()": () => undefined,
    "void Close()": (writer: StringWriter) => writer.dispose(),
    "void Dispose()": (writer: StringWriter) => writer.dispose(),
  },
  { nameable: false },
);
defineType("class System.IO.StringWriter : System.IO.TextWriter", {
  "StringWriter()": () => new StringWriter(new StringBuilder("")),
  "StringWriter(StringBuilder sb)": (builder: StringBuilder | null) => {
    if (builder === null) throw argumentNull("sb");
    return new StringWriter(builder);
  },
  "StringBuilder GetStringBuilder()": (writer: StringWriter) => writer.builder,
  "string ToString()": (writer: StringWriter) => writer.builder.text,
});
