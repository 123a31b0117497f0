/** `Array.Copy` and `Buffer.BlockCopy`: between arrays of one kind, overlapping ranges included. */
import { spend } from "../budget.ts";
import { isAssignable, isInstance } from "../cast.ts";
import { NetException, argumentError, argumentNull, argumentOutOfRange, invalidCast } from "../errors.ts";
import { isValueType } from "../type.ts";
import { NetArray, typeOf } from "../values.ts";

type AnyArray = NetArray | Uint8Array;

/** @throws ArgumentException when a range does not fit, ArrayTypeMismatchException, InvalidCastException */
export function arrayCopyTarget(
  source: AnyArray | null,
  sourceIndex: number,
  target: AnyArray | null,
  targetIndex: number,
  count: number,
): void {
  if (source === null) throw argumentNull("sourceArray");
  if (target === null) throw argumentNull("destinationArray");
  if (count < 0) throw argumentOutOfRange("length", "Non-negative number required.");
  if (sourceIndex < 0) throw argumentOutOfRange("sourceIndex", "Non-negative number required.");
  if (targetIndex < 0) throw argumentOutOfRange("destinationIndex", "Non-negative number required.");
  const from = source instanceof Uint8Array ? source : source.items;
  const to = target instanceof Uint8Array ? target : target.items;
  if (sourceIndex + count > from.length) {
    throw argumentError(
      "Source array was not long enough. Check the source index, length, and the array's lower bounds.",
    );
  }
  if (targetIndex + count > to.length) {
    throw argumentError(
      "Destination array was not long enough. Check the destination index, length, and the array's lower bounds.",
    );
  }
  spend(1 + (count >>> 4));
  const narrowing = checkTypes(source, target);
  const moved = from.slice(sourceIndex, sourceIndex + count) as ArrayLike<unknown>;
  for (let i = 0; i < count; i++) {
    const value = moved[i];
    if (narrowing && value !== null && !isInstance(value, (target as NetArray).elementType)) {
      throw invalidCast(typeOf(value).name, (target as NetArray).elementType.name);
    }
    (to as unknown[])[targetIndex + i] = value;
  }
}

/** @returns whether each element must be checked */
function checkTypes(source: AnyArray, target: AnyArray): boolean {
  const from = typeOf(source);
  const to = typeOf(target);
  if (isAssignable(from, to)) return false;
  if (source instanceof NetArray && target instanceof NetArray) {
    const references = !isValueType(source.elementType) && !isValueType(target.elementType);
    if (references && isAssignable(target.elementType, source.elementType)) return true;
  }
  throw new NetException(
    "System.ArrayTypeMismatchException",
    "Source array type cannot be assigned to destination array type.",
  );
}
