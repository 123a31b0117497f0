/** System.BitConverter, little-endian. */
import { checkLength, hasten, spendUnits } from "../budget.ts";
import { type Members, defineType } from "../define.ts";
import { argumentError, argumentNull, argumentOutOfRange } from "../errors.ts";

/** How many octets each type takes, and how a DataView reads and writes them. */
const TYPES: readonly [
  name: string,
  keyword: string,
  size: number,
  get: (view: DataView, at: number) => number | bigint,
  set: (view: DataView, value: any) => void,
][] = [
  ["Char", "char", 2, (v, at) => v.getUint16(at, true), (v, x) => v.setUint16(0, x, true)],
  ["Int16", "short", 2, (v, at) => v.getInt16(at, true), (v, x) => v.setInt16(0, x, true)],
  ["UInt16", "ushort", 2, (v, at) => v.getUint16(at, true), (v, x) => v.setUint16(0, x, true)],
  ["Int32", "int", 4, (v, at) => v.getInt32(at, true), (v, x) => v.setInt32(0, x, true)],
  ["UInt32", "uint", 4, (v, at) => v.getUint32(at, true), (v, x) => v.setUint32(0, x, true)],
  ["Int64", "long", 8, (v, at) => v.getBigInt64(at, true), (v, x) => v.setBigInt64(0, x, true)],
  ["UInt64", "ulong", 8, (v, at) => v.getBigUint64(at, true), (v, x) => v.setBigUint64(0, x, true)],
  ["Single", "float", 4, (v, at) => v.getFloat32(at, true), (v, x) => v.setFloat32(0, x, true)],
  ["Double", "double", 8, (v, at) => v.getFloat64(at, true), (v, x) => v.setFloat64(0, x, true)],
];

const members: Record<string, (...args: any[]) => unknown> = {};
for (const [name, keyword, size, get, set] of TYPES) {
  members[`static byte[] GetBytes(${keyword} value)`] = (value: number | bigint) => {
    const bytes = new Uint8Array(size);
    set(new DataView(bytes.buffer), value);
    return bytes;
  };
  members[`static ${keyword} To${name}(byte[] value, int startIndex)`] = (
    bytes: Uint8Array | null,
    at: number,
  ) => get(viewOf(bytes, at, size), at);
}

function viewOf(bytes: Uint8Array | null, at: number, size: number): DataView {
  if (bytes === null) throw argumentNull("value");
  checkStart(bytes, at);
  if (at > bytes.length - size) {
    throw argumentError(
      "Destination array is not long enough to copy all the items in the collection. Check array index and length.",
      "value",
    );
  }
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function checkStart(bytes: Uint8Array, at: number): void {
  if (at < 0 || at >= bytes.length) {
    throw argumentOutOfRange(
      "startIndex",
      "Index was out of range. Must be non-negative and less than the size of the collection.",
    );
  }
}

const DIGITS = "0123456789ABCDEF";

/** `01-AB`. */
function text(bytes: Uint8Array | null, start = 0, length?: number): string {
  if (bytes === null) throw argumentNull("value");
  const count = length ?? bytes.length - start;
  if (start < 0 || (start >= bytes.length && start > 0)) {
    throw argumentOutOfRange("startIndex", "StartIndex cannot be less than zero.");
  }
  if (count < 0) throw argumentOutOfRange("length", "Value must be positive.");
  if (start > bytes.length - count) {
    throw argumentError(
      "Destination array is not long enough to copy all the items in the collection. Check array index and length.",
    );
  }
  checkLength(count * 3);
  spendUnits(count);
  if (count === 0) return "";
  const written = Buffer.alloc(count * 3 - 1, "-");
  for (let i = 0; i < count; i++) {
    if ((i & 0xffff) === 0xffff) hasten(512);
    const byte = bytes[start + i]!;
    written[i * 3] = DIGITS.charCodeAt(byte >> 4);
    written[i * 3 + 1] = DIGITS.charCodeAt(byte & 15);
  }
  return written.toString("latin1");
}

const view = new DataView(new ArrayBuffer(8));

const others: Members = {
  "static bool IsLittleEndian { get; }": () => true,
  "static byte[] GetBytes(bool value)": (value: boolean) => {
    return Uint8Array.of(value ? 1 : 0);
  },
  "static bool ToBoolean(byte[] value, int startIndex)": (bytes: Uint8Array | null, at: number) =>
    viewOf(bytes, at, 1).getUint8(at) !== 0,
  "static string ToString(byte[] value)": (bytes: Uint8Array | null) => text(bytes),
  "static string ToString(byte[] value, int startIndex)": (bytes: Uint8Array | null, start: number) =>
    text(bytes, start),
  "static string ToString(byte[] value, int startIndex, int length)": text,
  "static long DoubleToInt64Bits(double value)": (value: number) => {
    view.setFloat64(0, value);
    return view.getBigInt64(0);
  },
  "static double Int64BitsToDouble(long value)": (value: bigint) => {
    view.setBigInt64(0, value);
    return view.getFloat64(0);
  },
  "static int SingleToInt32Bits(float value)": (value: number) => {
    view.setFloat32(0, value);
    return view.getInt32(0);
  },
  "static float Int32BitsToSingle(int value)": (value: number) => {
    view.setInt32(0, value);
    return view.getFloat32(0);
  },
};

defineType("static System.BitConverter", { ...members, ...others });
