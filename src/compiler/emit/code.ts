/**
 * The shapes of emitted code, and what is known about a function while its body is emitted.
 *
 * Every node of the bound tree becomes one JavaScript closure; a node's closure calls those of its children. They all
 * take the same two arguments: the request's context, and the frame of the function that is running. A frame is an
 * array: slot numbers come from the binder, and behind its slots stand a few of our own (the value being returned,
 * the target of a goto, the exception of each catch).
 *
 * Statements answer with a signal instead of throwing, so that `break`, `continue` and `return` cost a comparison.
 */
import type { BoundFunction, LabelSymbol, LocalSymbol } from "../csharp/bound.ts";
import type { HostContext } from "../runtime/host.ts";

export type Frame = unknown[];

/** An expression: gives a value in the representation of its static type. */
export type Run = (context: HostContext, frame: Frame) => any;

/** A statement: gives a `Signal`. */
export type Exec = (context: HostContext, frame: Frame) => Signal;

/** How a statement ended. After `RETURN` the value is in the return slot, after `GOTO` the label in the goto slot. */
export type Signal = 0 | 1 | 2 | 3 | 4;
export const NORMAL = 0;
export const BREAK = 1;
export const CONTINUE = 2;
export const RETURN = 3;
export const GOTO = 4;

/** Where a captured variable lives. */
export interface Cell {
  value: unknown;
}

/** One function during emission. */
export class FunctionScope {
  readonly function: BoundFunction;
  readonly returnSlot: number;
  /** Holds a `LabelSymbol`. */
  readonly gotoSlot: number;
  /** Slots of the exceptions that are being handled where we are, innermost last. */
  readonly handled: number[] = [];
  /** Makes, reads or calls a delegate somewhere. */
  touchesDelegates = false;
  #size: number;

  constructor(bound: BoundFunction) {
    this.function = bound;
    this.returnSlot = bound.slotCount;
    this.gotoSlot = bound.slotCount + 1;
    this.#size = bound.slotCount + 2;
  }

  /** An empty frame to copy for each call. Complete when the body has been emitted. */
  emptyFrame(): Frame {
    return Array.from({ length: this.#size }, () => null);
  }

  addSlot(): number {
    return this.#size++;
  }
}

export type { LabelSymbol };

/** Reads a variable from the frame in which it stands in `slot`. */
export function readLocal(symbol: LocalSymbol, slot: number): Run {
  if (symbol.isCaptured) return (_, f) => (f[slot] as Cell).value;
  return (_, f) => f[slot];
}

export type Store = (frame: Frame, value: unknown) => void;

/** Writes a variable that its scope has declared. */
export function storeLocal(symbol: LocalSymbol, slot: number): Store {
  if (symbol.isCaptured) return (f, value) => void ((f[slot] as Cell).value = value);
  return (f, value) => void (f[slot] = value);
}

/** Writes a variable for the first time: a captured one gets its cell. For temporaries, which no scope declares. */
export function declareLocal(symbol: LocalSymbol): Store {
  const { slot } = symbol;
  if (symbol.isCaptured) return (f, value) => void (f[slot] = { value });
  return (f, value) => void (f[slot] = value);
}

/** Gives the captured ones among `locals` fresh cells; null when there are none. */
export function freshCells(locals: readonly LocalSymbol[]): ((frame: Frame) => void) | null {
  const slots = locals.filter((local) => local.isCaptured).map((local) => local.slot);
  if (slots.length === 0) return null;
  const [first] = slots;
  if (slots.length === 1) return (f) => void (f[first!] = { value: null });
  return (f) => {
    for (const slot of slots) f[slot] = { value: null };
  };
}
