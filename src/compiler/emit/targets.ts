/**
 * Places that can be written: variables, members with a setter, array elements.
 *
 * C# evaluates the parts of a place (receiver, index) once, before the value that goes into it. So a place is used in
 * two steps: `locate` evaluates the parts, `read` and `write` use what it gave.
 */
import type { BoundTarget, ElementTarget, MemberTarget } from "../csharp/bound.ts";
import { isInstance } from "../runtime/cast.ts";
import { indexOutOfRange, NetException, nullReference } from "../runtime/errors.ts";
import type { HostContext } from "../runtime/host.ts";
import { isValueType, type Type } from "../runtime/type.ts";
import { NetArray } from "../runtime/values.ts";
import { type Frame, type FunctionScope, readLocal, storeLocal } from "./code.ts";
import { emitExpression } from "./expressions.ts";

export interface Target {
  /** Evaluates the parts of the place. */
  locate(context: HostContext, frame: Frame): unknown;
  read(context: HostContext, frame: Frame, place: any): any;
  write(context: HostContext, frame: Frame, place: any, value: any): void;
}

export function emitTarget(target: BoundTarget, scope: FunctionScope): Target {
  switch (target.kind) {
    case "local": {
      const read = readLocal(target.symbol, target.slot);
      const store = storeLocal(target.symbol, target.slot);
      return { locate: () => null, read: (c, f) => read(c, f), write: (_, f, __, value) => store(f, value) };
    }
    case "discard":
      return { locate: () => null, read: () => null, write: () => undefined };
    case "member":
      return emitMember(target, scope);
    case "element":
      return emitElement(target, scope);
  }
}

interface MemberPlace {
  readonly receiver: unknown;
  readonly values: unknown[];
}

function emitMember(target: MemberTarget, scope: FunctionScope): Target {
  const { code, read, checkReceiver } = target;
  const receiver = target.receiver === null ? null : emitExpression(target.receiver, scope);
  const args = target.arguments.map((argument) => emitExpression(argument, scope));
  const locate = (c: HostContext, f: Frame): MemberPlace => ({
    receiver: receiver === null ? null : receiver(c, f),
    values: args.map((run) => run(c, f)),
  });
  if (receiver === null) {
    return {
      locate,
      read: (_, __, place: MemberPlace) => read(...place.values),
      write: (_, __, place: MemberPlace, value) => void code(...place.values, value),
    };
  }
  const present = (place: MemberPlace): unknown => {
    if (checkReceiver && place.receiver === null) throw nullReference();
    return place.receiver;
  };
  return {
    locate,
    read: (_, __, place: MemberPlace) => read(present(place), ...place.values),
    write: (_, __, place: MemberPlace, value) => void code(present(place), ...place.values, value),
  };
}

interface ElementPlace {
  readonly array: NetArray | Uint8Array | null;
  readonly index: number;
}

function emitElement(target: ElementTarget, scope: FunctionScope): Target {
  const array = emitExpression(target.array, scope);
  const index = emitExpression(target.index, scope);
  const check = storeCheck(target.elementType);
  return {
    locate: (c, f): ElementPlace => ({ array: array(c, f), index: Number(index(c, f)) }),
    read: (_, __, { array, index }: ElementPlace) => elementAt(array, index),
    write: (_, __, { array, index }: ElementPlace, value) => {
      const items = itemsOf(array);
      if (index < 0 || index >= items.length) throw indexOutOfRange();
      if (check !== null) check(array as NetArray, value);
      items[index] = value;
    },
  };
}

function itemsOf(array: NetArray | Uint8Array | null): unknown[] | Uint8Array {
  if (array === null) throw nullReference();
  return array instanceof NetArray ? array.items : array;
}

/** `array[index]` with .NET's errors. */
export function elementAt(array: NetArray | Uint8Array | null, index: number): unknown {
  const items = itemsOf(array);
  // A negative or too large index finds nothing; elements themselves are never undefined.
  const value = items[index];
  if (value === undefined) throw indexOutOfRange();
  return value;
}

/** A `string[]` may stand in an `object[]` variable: what is stored must fit the array itself. */
function storeCheck(elementType: Type): ((array: NetArray, value: unknown) => void) | null {
  if (isValueType(elementType)) return null;
  return (array, value) => {
    if (value === null || array.elementType === elementType || isInstance(value, array.elementType)) return;
    throw new NetException(
      "System.ArrayTypeMismatchException",
      "Attempted to access an element as a type incompatible with the array.",
    );
  };
}
