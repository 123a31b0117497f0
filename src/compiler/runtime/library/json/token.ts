/**
 * The `JToken` family (`expressions.md` §5.8). Containers lie over parsed data (`raw.ts`) and make tokens of it only
 * where somebody looks, so that reading one value of a large body touches one path, and two readers of a body never
 * see each other's changes.
 *
 * Rules that hold everywhere: a token has one parent; adding one that has a parent adds a clone; null is a `JValue`
 * of type Null; enumerating a container that changes meanwhile throws.
 */
import { checkSize, spend } from "../../budget.ts";
import {
  NetException,
  argumentError,
  argumentNull,
  argumentOutOfRange,
  invalidOperation,
} from "../../errors.ts";
import { boxer, elementTypeOf } from "../../cast.ts";
import type { NamedType, Type } from "../../type.ts";
import { NetArray, type NetObject, TYPE, textOf, typeNamed } from "../../values.ts";
import {
  type DictionaryLike,
  type ListLike,
  Pair,
  collectionModified,
  elements,
  indexArgument,
} from "../collections.ts";
import * as kinds from "./kinds.ts";
import { type Raw, type RawArray, RawDate, type RawObject } from "./raw.ts";
import { pathText } from "./reader.ts";
import {
  compareScalars,
  formatScalar,
  hashScalar,
  sameScalar,
  scalarKind,
  textOfScalar,
  toData,
  toNet,
} from "./scalars.ts";
import { JsonText, checkNesting, scalarJson, writeRaw } from "./writer.ts";

const LINQ = "Newtonsoft.Json.Linq";

export abstract class JToken implements NetObject {
  parent: JContainer | null = null;
  abstract readonly kind: number;
  abstract get [TYPE](): Type;
  abstract clone(depth?: number): JToken;
  abstract write(out: JsonText, depth: number): void;
  abstract sameAs(other: JToken, depth?: number): boolean;

  get hasValues(): boolean {
    return false;
  }

  /** The indexer. */
  child(_key: unknown): JToken | null {
    throw invalidOperation(`Cannot access child value on ${this[TYPE].name}.`);
  }

  setChild(_key: unknown, _value: JToken | null): void {
    throw invalidOperation(`Cannot set child value on ${this[TYPE].name}.`);
  }

  /** Children as an array that must not be changed. */
  children(): readonly JToken[] {
    return [];
  }

  get root(): JToken {
    let token: JToken = this;
    for (let depth = 0; token.parent !== null; token = token.parent) checkNesting(++depth);
    return token;
  }

  get path(): string {
    const steps: (string | number)[] = [];
    for (let token: JToken = this; token.parent !== null; token = token.parent) {
      checkNesting(steps.length);
      if (token.parent instanceof JArray) steps.push(token.parent.indexOf(token));
      else if (token instanceof JProperty) steps.push(token.name);
    }
    return pathText(steps.toReversed());
  }

  /** Position among its siblings. */
  #position(): number {
    if (this.parent === null) throw invalidOperation("The parent is missing.");
    return this.parent.indexOf(this);
  }

  get next(): JToken | null {
    return this.parent === null ? null : (this.parent.children()[this.#position() + 1] ?? null);
  }

  get previous(): JToken | null {
    return this.parent === null ? null : (this.parent.children()[this.#position() - 1] ?? null);
  }

  detach(): void {
    this.#position();
    this.parent!.removeChild(this);
  }

  replaceBy(value: JToken): void {
    if (value === this) return;
    const position = this.#position();
    this.parent!.replaceAt(position, value);
  }

  insertBeside(content: unknown, offset: 0 | 1): void {
    const position = this.#position();
    this.parent!.addContent(content, position + offset);
  }

  netToString(): string {
    return this.toJson(true);
  }

  /** JSON text. */
  toJson(indented: boolean): string {
    const out = new JsonText(indented);
    this.write(out, 0);
    return out.text;
  }

  [Symbol.iterator](): Iterator<JToken> {
    return this.children()[Symbol.iterator]();
  }
}

export class JValue extends JToken {
  kind: number;
  /** See `scalars.ts`. */
  data: unknown;

  constructor(kind: number, data: unknown) {
    super();
    this.kind = kind;
    this.data = data;
  }

  /** From a boxed value. @throws ArgumentException for types JSON has no place for */
  static of(value: unknown): JValue {
    return new JValue(scalarKind(value), toData(value));
  }

  static nothing(): JValue {
    return new JValue(kinds.NULL, null);
  }

  get [TYPE](): Type {
    return typeNamed(this.kind === kinds.RAW ? "Newtonsoft.Json.Linq.JRaw" : "Newtonsoft.Json.Linq.JValue");
  }

  /** Boxed. */
  get value(): unknown {
    return toNet(this.data);
  }

  set value(value: unknown) {
    const keeps = this.kind === kinds.RAW && typeof value === "string";
    this.kind = keeps ? kinds.RAW : scalarKind(value);
    this.data = toData(value);
  }

  clone(): JToken {
    return new JValue(this.kind, this.data);
  }

  write(out: JsonText): void {
    out.add(scalarJson(this.kind, this.data));
  }

  sameAs(other: JToken): boolean {
    return other instanceof JValue && sameScalar(this.kind, this.data, other.kind, other.data);
  }

  override netToString(): string {
    return textOfScalar(this.data) ?? "";
  }

  netEquals(other: unknown): boolean {
    return other instanceof JValue && this.sameAs(other);
  }

  netHashCode(): number {
    return hashScalar(this.data);
  }

  netFormat(format: string): string {
    return formatScalar(this.data, format);
  }

  netCompareTo(other: unknown): number {
    if (!(other instanceof JValue)) return compareScalars(this.kind, this.data, toData(other));
    const kind = this.kind === kinds.STRING ? other.kind : this.kind;
    return compareScalars(kind, this.data, other.data);
  }
}

/** A token over parsed data. */
export function tokenOf(raw: Raw): JToken {
  switch (typeof raw) {
    case "string":
      return new JValue(kinds.STRING, raw);
    case "boolean":
      return new JValue(kinds.BOOLEAN, raw);
    case "number":
    case "bigint":
      return new JValue(kinds.INTEGER, raw);
    case "symbol":
      return new JValue(kinds.UNDEFINED_KIND, null);
    default:
      if (raw === null) return new JValue(kinds.NULL, null);
      if (raw instanceof Map) return new JObject(raw);
      if (Array.isArray(raw)) return new JArray(raw);
      return new JValue(raw instanceof RawDate ? kinds.DATE : kinds.FLOAT, raw);
  }
}

/** Whether content is a sequence to be added element by element. */
export function isMultiContent(content: unknown): boolean {
  if (
    content === null ||
    typeof content !== "object" ||
    content instanceof JToken ||
    content instanceof Uint8Array
  ) {
    return false;
  }
  return content instanceof NetArray || typeof (content as Iterable<unknown>)[Symbol.iterator] === "function";
}

/** Elements of content as `object`s, taken before anything is changed. */
export function boxedElements(source: unknown): unknown[] {
  const box = boxer(source instanceof NetArray ? source.elementType : elementTypeOf(source));
  if (box === null && source instanceof NetArray) {
    spend(source.items.length);
    return source.items.slice();
  }
  const items: unknown[] = [];
  for (const element of elements(source)) {
    spend();
    items.push(box === null ? element : box(element));
  }
  return items;
}

export function tokenFromContent(content: unknown): JToken {
  return content instanceof JToken ? content : JValue.of(content);
}

export abstract class JContainer extends JToken {
  protected version = 0;

  abstract insertAt(index: number, token: JToken): void;
  abstract removeChild(token: JToken): boolean;
  abstract replaceAt(index: number, token: JToken | null): void;
  abstract clear(): void;
  abstract get size(): number;

  override get hasValues(): boolean {
    return this.size > 0;
  }

  get first(): JToken | null {
    return this.children()[0] ?? null;
  }

  get last(): JToken | null {
    return this.children()[this.size - 1] ?? null;
  }

  indexOf(token: JToken | null): number {
    const children = this.children();
    spend(1 + (children.length >>> 6));
    return token === null ? -1 : children.indexOf(token);
  }

  /** What is really added for `token`: a clone when it already stands somewhere, here or above. */
  protected owned(token: JToken | null): JToken {
    if (token === null) return JValue.nothing();
    if (token.parent !== null || token === this || (token.hasValues && this.root === token))
      return token.clone();
    return token;
  }

  /** `Add(object)` and its kin: sequences are expanded, other values become tokens. */
  addContent(content: unknown, index: number = this.size): void {
    if (!isMultiContent(content)) {
      this.insertAt(index, tokenFromContent(content));
      return;
    }
    let at = index;
    for (const element of boxedElements(content)) this.addContent(element, at++);
  }

  removeAll(): void {
    this.clear();
  }

  replaceAll(content: unknown): void {
    this.clear();
    this.addContent(content);
  }

  /** Children one by one, watching for changes. */
  override *[Symbol.iterator](): Generator<JToken> {
    const { version } = this;
    const children = this.children();
    for (let i = 0; i < children.length; i++) {
      yield children[i]!;
      if (version !== this.version) throw collectionModified();
    }
  }

  /** All tokens below, in document order. */
  *descendants(withSelf: boolean, depth = 0): Generator<JToken> {
    checkNesting(depth);
    if (withSelf) yield this;
    for (const child of this) {
      spend();
      if (child instanceof JContainer) yield* child.descendants(true, depth + 1);
      else yield child;
    }
  }
}

export class JProperty extends JContainer {
  readonly kind = kinds.PROPERTY;
  readonly name: string;
  #value: JToken | null = null;

  /** @param value must have no parent */
  constructor(name: string | null, value: JToken | null = null) {
    super();
    if (name === null) throw argumentNull("name");
    this.name = name;
    if (value !== null) this.#hold(value);
  }

  get [TYPE](): Type {
    return typeNamed("Newtonsoft.Json.Linq.JProperty");
  }

  /**
   * With `value` what a `KeyValuePair` has: a `JObject` seen as an `IEnumerable<KeyValuePair<string, JToken>>` still
   * gives its properties to whoever iterates it.
   */
  get key(): string {
    return this.name;
  }

  #hold(value: JToken): void {
    this.#value = value;
    value.parent = this;
  }

  get value(): JToken {
    return this.#value!;
  }

  set value(value: JToken | null) {
    const token = this.owned(value);
    if (this.#value !== null) this.#value.parent = null;
    this.#hold(token);
    this.version++;
  }

  get size(): number {
    return this.#value === null ? 0 : 1;
  }

  override children(): readonly JToken[] {
    return this.#value === null ? [] : [this.#value];
  }

  insertAt(_index: number, token: JToken): void {
    if (this.#value !== null)
      throw new NetException(JSON_ERROR, `${LINQ}.JProperty cannot have multiple values.`);
    this.#hold(this.owned(token));
  }

  replaceAt(_index: number, token: JToken | null): void {
    this.value = token;
  }

  removeChild(): boolean {
    throw new NetException(JSON_ERROR, `Cannot add or remove items from ${LINQ}.JProperty.`);
  }

  clear(): void {
    this.removeChild();
  }

  clone(depth = 0): JToken {
    return new JProperty(this.name, this.value.clone(depth + 1));
  }

  write(out: JsonText, depth: number): void {
    out.name(this.name);
    this.value.write(out, depth);
  }

  sameAs(other: JToken, depth = 0): boolean {
    return (
      other instanceof JProperty && other.name === this.name && this.value.sameAs(other.value, depth + 1)
    );
  }
}

const JSON_ERROR = "Newtonsoft.Json.JsonException";

export class JObject extends JContainer implements DictionaryLike {
  readonly kind = kinds.OBJECT;
  /** Parsed data not yet made into properties; null once all are. */
  #raw: RawObject | null;
  /** All properties in order; complete only when `#raw` is null. */
  #list: JProperty[] = [];
  /** By name; while `#raw` is there, those that were looked at. */
  readonly #byName = new Map<string, JProperty>();

  constructor(raw: RawObject | null = null) {
    super();
    this.#raw = raw;
  }

  get [TYPE](): Type {
    return typeNamed("Newtonsoft.Json.Linq.JObject");
  }

  get size(): number {
    return this.#raw === null ? this.#list.length : this.#raw.size;
  }

  #make(name: string, raw: Raw): JProperty {
    const property = new JProperty(name, tokenOf(raw));
    property.parent = this;
    this.#byName.set(name, property);
    return property;
  }

  /** Makes all properties. */
  #all(): JProperty[] {
    const raw = this.#raw;
    if (raw !== null) {
      spend(1 + (raw.size >>> 3));
      const list: JProperty[] = [];
      for (const [name, value] of raw) list.push(this.#byName.get(name) ?? this.#make(name, value));
      this.#list = list;
      this.#raw = null;
    }
    return this.#list;
  }

  property(name: string | null): JProperty | null {
    if (name === null) return null;
    const known = this.#byName.get(name);
    if (known !== undefined || this.#raw === null) return known ?? null;
    const raw = this.#raw.get(name);
    return raw === undefined ? null : this.#make(name, raw);
  }

  /** The value of a property, or null. */
  item(name: string | null): JToken | null {
    return this.property(name)?.value ?? null;
  }

  setItem(name: string | null, value: JToken | null): void {
    const property = this.property(name);
    if (property === null) this.addItem(name, value);
    else property.value = value;
  }

  addItem(name: string | null, value: JToken | null): void {
    this.insertAt(this.size, new JProperty(name, this.owned(value)));
  }

  has(name: unknown): boolean {
    if (name instanceof Pair) return this.item(name.key as string) === name.value;
    return this.#byName.has(name as string) || (this.#raw !== null && this.#raw.has(name as string));
  }

  override child(key: unknown): JToken | null {
    if (key === null) throw argumentNull("key");
    if (typeof key !== "string")
      throw badKey("Accessed JObject values with invalid key value", key, "Object property name expected.");
    return this.item(key);
  }

  override setChild(key: unknown, value: JToken | null): void {
    if (key === null) throw argumentNull("key");
    if (typeof key !== "string")
      throw badKey("Set JObject values with invalid key value", key, "Object property name expected.");
    this.setItem(key, value);
  }

  override children(): readonly JProperty[] {
    return this.#all();
  }

  override [Symbol.iterator](): Generator<JToken> {
    this.#all();
    return super[Symbol.iterator]() as Generator<JToken>;
  }

  insertAt(index: number, token: JToken): void {
    const list = this.#all();
    // The original checks the token as given, before it is cloned.
    if (!(token instanceof JProperty)) {
      throw argumentError(`Can not add ${token[TYPE].name} to ${this[TYPE].name}.`);
    }
    if (this.#byName.has(token.name)) {
      throw argumentError(
        `Can not add property ${token.name} to ${this[TYPE].name}. Property with the same name already exists on object.`,
      );
    }
    const property = this.owned(token) as JProperty;
    checkSize(list.length + 1);
    if (index === list.length) list.push(property);
    else list.splice(index, 0, property);
    this.#byName.set(property.name, property);
    property.parent = this;
    this.version++;
  }

  replaceAt(index: number, token: JToken | null): void {
    const list = this.#all();
    const old = list[index]!;
    if (!(token instanceof JProperty)) {
      throw argumentError(
        `Can not add ${token === null ? `${LINQ}.JValue` : token[TYPE].name} to ${this[TYPE].name}.`,
      );
    }
    if (token.name !== old.name && this.#byName.has(token.name)) {
      throw argumentError(
        `Can not add property ${token.name} to ${this[TYPE].name}. Property with the same name already exists on object.`,
      );
    }
    const property = this.owned(token) as JProperty;
    list[index] = property;
    this.#byName.delete(old.name);
    this.#byName.set(property.name, property);
    old.parent = null;
    property.parent = this;
    this.version++;
  }

  removeChild(token: JToken): boolean {
    const list = this.#all();
    const index = this.indexOf(token);
    if (index < 0) return false;
    list.splice(index, 1);
    this.#byName.delete((token as JProperty).name);
    token.parent = null;
    this.version++;
    return true;
  }

  removeItem(name: string | null): boolean {
    if (name === null) throw argumentNull("propertyName");
    const property = this.property(name);
    return property !== null && this.removeChild(property);
  }

  clear(): void {
    for (const property of this.#all()) property.parent = null;
    this.#list = [];
    this.#byName.clear();
    this.version++;
  }

  clone(depth = 0): JToken {
    checkNesting(depth);
    // Data that nobody changed is shared. Once a property was looked at, its tokens may have been changed.
    if (this.#raw !== null && this.#byName.size === 0) return new JObject(this.#raw);
    const copy = new JObject();
    for (const property of this.#all()) {
      spend();
      copy.insertAt(copy.size, property.clone(depth + 1));
    }
    return copy;
  }

  write(out: JsonText, depth: number): void {
    if (this.#raw !== null && this.#byName.size === 0) return writeRaw(out, this.#raw, depth);
    checkNesting(depth);
    spend();
    const list = this.#all();
    out.add("{");
    for (let i = 0; i < list.length; i++) {
      if (i > 0) out.add(",");
      out.line(depth + 1);
      list[i]!.write(out, depth + 1);
    }
    if (list.length > 0) out.line(depth);
    out.add("}");
  }

  sameAs(other: JToken, depth = 0): boolean {
    if (other === this) return true;
    checkNesting(depth);
    if (!(other instanceof JObject) || other.size !== this.size) return false;
    for (const property of this.#all()) {
      spend();
      const theirs = other.property(property.name);
      if (theirs === null || !property.value.sameAs(theirs.value, depth + 1)) return false;
    }
    return true;
  }

  // --- As IDictionary<string, JToken>.

  find(key: unknown): unknown {
    if (key === null) throw argumentNull("key");
    return this.item(key as string) ?? undefined;
  }

  get(key: unknown): unknown {
    return this.item(key as string | null);
  }

  set(key: unknown, value: unknown): void {
    this.setItem(key as string | null, value as JToken | null);
  }

  add(key: unknown, value?: unknown): void {
    if (key instanceof Pair) this.addItem(key.key as string | null, key.value as JToken | null);
    else this.addItem(key as string | null, (value ?? null) as JToken | null);
  }

  remove(key: unknown): boolean {
    return this.removeItem((key instanceof Pair ? key.key : key) as string | null);
  }

  *keys(): Generator<string> {
    for (const property of this) yield (property as JProperty).name;
  }

  *values(): Generator<JToken> {
    for (const property of this) yield (property as JProperty).value;
  }

  /** As `foreach` over a `JObject` sees it. */
  *pairs(type: NamedType): Generator<Pair> {
    for (const property of this)
      yield new Pair(type, (property as JProperty).name, (property as JProperty).value);
  }
}

export class JArray extends JContainer implements ListLike {
  readonly kind = kinds.ARRAY;
  /** Parsed data; null once everything is a token. */
  #raw: RawArray | null;
  /** While `#raw` is there, holes stand for what nobody looked at. */
  #items: (JToken | undefined)[] = [];

  constructor(raw: RawArray | null = null) {
    super();
    this.#raw = raw;
  }

  get [TYPE](): Type {
    return typeNamed("Newtonsoft.Json.Linq.JArray");
  }

  get size(): number {
    return this.#raw === null ? this.#items.length : this.#raw.length;
  }

  #make(index: number): JToken {
    const token = tokenOf(this.#raw![index]!);
    token.parent = this;
    this.#items[index] = token;
    return token;
  }

  #all(): JToken[] {
    if (this.#raw !== null) {
      const { length } = this.#raw;
      spend(1 + (length >>> 3));
      for (let i = 0; i < length; i++) if (this.#items[i] === undefined) this.#make(i);
      this.#raw = null;
    }
    return this.#items as JToken[];
  }

  at(index: number): JToken {
    if (index < 0 || index >= this.size) throw indexArgument();
    return this.#items[index] ?? this.#make(index);
  }

  put(index: number, value: unknown): void {
    this.replaceAt(index, value as JToken | null);
  }

  override child(key: unknown): JToken | null {
    if (key === null) throw argumentNull("key");
    if (typeof key !== "number")
      throw badKey("Accessed JArray values with invalid key value", key, "Int32 array index expected.");
    return this.at(key);
  }

  override setChild(key: unknown, value: JToken | null): void {
    if (key === null) throw argumentNull("key");
    if (typeof key !== "number")
      throw badKey("Set JArray values with invalid key value", key, "Int32 array index expected.");
    this.replaceAt(key, value);
  }

  override children(): readonly JToken[] {
    return this.#all();
  }

  override [Symbol.iterator](): Generator<JToken> {
    this.#all();
    return super[Symbol.iterator]() as Generator<JToken>;
  }

  insertAt(index: number, token: JToken): void {
    const items = this.#all();
    if (index < 0 || index > items.length)
      throw argumentOutOfRange(
        "index",
        "Index was out of range. Must be non-negative and less than the size of the collection.",
      );
    const owned = this.owned(token);
    checkSize(items.length + 1);
    if (index === items.length) items.push(owned);
    else {
      spend(1 + ((items.length - index) >>> 6));
      items.splice(index, 0, owned);
    }
    owned.parent = this;
    this.version++;
  }

  add(value: unknown): void {
    this.insertAt(this.size, (value as JToken | null) ?? JValue.nothing());
  }

  insert(index: number, value: unknown): void {
    this.insertAt(index, (value as JToken | null) ?? JValue.nothing());
  }

  replaceAt(index: number, token: JToken | null): void {
    const items = this.#all();
    if (index < 0 || index >= items.length) throw indexArgument();
    if (items[index] === token) return;
    const owned = this.owned(token);
    items[index]!.parent = null;
    items[index] = owned;
    owned.parent = this;
    this.version++;
  }

  removeAt(index: number): void {
    const items = this.#all();
    if (index < 0) throw argumentOutOfRange("index", "Index is less than 0.");
    if (index >= items.length) throw argumentOutOfRange("index", "Index is equal to or greater than Count.");
    items[index]!.parent = null;
    spend(1 + ((items.length - index) >>> 6));
    items.splice(index, 1);
    this.version++;
  }

  removeChild(token: JToken): boolean {
    const index = this.indexOf(token);
    if (index >= 0) this.removeAt(index);
    return index >= 0;
  }

  /** `Remove(item)`: the first element that is this very token or, for values, an equal one. */
  remove(value: unknown): boolean {
    const index = this.indexOf(value as JToken | null);
    if (index >= 0) this.removeAt(index);
    return index >= 0;
  }

  override indexOf(value: unknown): number {
    if (value === null) return -1;
    const items = this.#all();
    spend(1 + (items.length >>> 6));
    return items.indexOf(value as JToken);
  }

  clear(): void {
    for (const item of this.#all()) item.parent = null;
    this.#items = [];
    this.version++;
  }

  clone(depth = 0): JToken {
    checkNesting(depth);
    if (this.#raw !== null && this.#items.length === 0) return new JArray(this.#raw);
    const copy = new JArray();
    for (const item of this.#all()) {
      spend();
      copy.insertAt(copy.size, item.clone(depth + 1));
    }
    return copy;
  }

  write(out: JsonText, depth: number): void {
    if (this.#raw !== null && this.#items.length === 0) return writeRaw(out, this.#raw, depth);
    checkNesting(depth);
    spend();
    const items = this.#all();
    out.add("[");
    for (let i = 0; i < items.length; i++) {
      if (i > 0) out.add(",");
      out.line(depth + 1);
      items[i]!.write(out, depth + 1);
    }
    if (items.length > 0) out.line(depth);
    out.add("]");
  }

  sameAs(other: JToken, depth = 0): boolean {
    if (other === this) return true;
    checkNesting(depth);
    if (!(other instanceof JArray) || other.size !== this.size) return false;
    const theirs = other.children();
    return this.#all().every((item, i) => {
      spend();
      return item.sameAs(theirs[i]!, depth + 1);
    });
  }
}

function badKey(what: string, key: unknown, expected: string): NetException {
  const shown = typeof key === "string" ? `"${key}"` : textOf(key);
  return argumentError(`${what}: ${shown}. ${expected}`);
}
