/** Base64 between octets and text. */
import { late } from "../late.ts";

/** The standard alphabet, with padding. */
export function bytesToBase64(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("base64");
}

/** As `Convert.FromBase64String`. @throws FormatException */
export const base64ToBytes: (text: string) => Uint8Array = late("System.Convert", "FromBase64String", [
  "System.String",
]);
