/** Signed assertions (RFC 7523) by which a workload proves that it holds a private key. */
import { type KeyObject, constants, sign } from "node:crypto";

type Algorithm = "RS256" | "PS256";

/** @returns a JWT; `key` is an RSA private key */
export function signAssertion(key: KeyObject, algorithm: Algorithm, header: object, claims: object): string {
  const input = `${encode({ alg: algorithm, typ: "JWT", ...header })}.${encode(claims)}`;
  const how =
    algorithm === "PS256"
      ? { key, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: constants.RSA_PSS_SALTLEN_DIGEST }
      : { key, padding: constants.RSA_PKCS1_PADDING };
  return `${input}.${sign("sha256", Buffer.from(input), how).toString("base64url")}`;
}

function encode(value: object): string {
  return Buffer.from(JSON.stringify(value)).toString("base64url");
}
