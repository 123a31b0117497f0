/**
 * What `validate-jwt` costs: the first time a token is seen, and every time after, beside a bare signature check with
 * `node:crypto` and `jose` in the same run.
 *
 *     node bench/tokens.ts
 *
 * The policy has an issuer, an audience and a required claim to look at. Target: a token seen before ≤ 10 µs.
 */
import { createPublicKey, verify } from "node:crypto";
import { jwtVerify } from "jose";
import { exchangeOf, policyStep, servicesOf, snapshotOf } from "../src/gateway/testing.ts";
import { validateJwt } from "../src/policies/validate-jwt/policy.ts";
import { CLAIMS, NOW, RSA, SECRET, rsaElement, secretElement, token } from "../src/tokens/testing.ts";
import { certificate } from "../src/policies/validate-client-certificate/certificates.fixture.ts";

const ROUNDS = 7;
const FIRST = 1000;
const AGAIN = 20_000;

const signer = certificate({ subject: [["CN", "signer"]] });
const certificates = {
  byId: new Map([["signer", { id: "signer", thumbprint: "", der: signer.der, client: null }]]),
  byThumbprint: new Map(),
};
const step = policyStep(validateJwt, {
  attributes: {
    "header-name": "Authorization",
    "require-scheme": "Bearer",
    "output-token-variable-name": "jwt",
  },
  children: {
    "issuer-signing-keys": [
      {
        children: {
          key: [
            rsaElement(RSA.publicKey, "rsa"),
            secretElement(SECRET, "hs"),
            { attributes: { "certificate-id": "signer", id: "ec" } },
          ],
        },
      },
    ],
    issuers: [{ children: { issuer: [{ text: CLAIMS.iss }] } }],
    audiences: [{ children: { audience: [{ text: CLAIMS.aud }] } }],
    "required-claims": [
      {
        children: {
          claim: [
            {
              attributes: { name: "scp", match: "any", separator: " " },
              children: { value: [{ text: "chat" }] },
            },
          ],
        },
      },
    ],
  },
});
const services = servicesOf();
const snapshot = snapshotOf({ certificates });

/** As long as those of a cloud's: about 1 kB. */
const payload = (i: number): object => ({
  ...CLAIMS,
  jti: String(i),
  scp: "openid profile chat",
  name: "Somebody With A Name",
  oid: "11111111-2222-4333-8444-555555555555",
  roles: ["reader", "writer"],
  groups: Array.from({ length: 8 }, (_, k) => `00000000-0000-4000-8000-00000000000${k}`),
  note: "x".repeat(150),
});

const KINDS = [
  { alg: "RS256", kid: "rsa", key: RSA.privateKey, publicKey: RSA.publicKey },
  { alg: "PS256", kid: "rsa", key: RSA.privateKey, publicKey: RSA.publicKey },
  { alg: "ES256", kid: "ec", key: signer.privateKey, publicKey: createPublicKey(signer.privateKey) },
  { alg: "HS256", kid: "hs", key: SECRET, publicKey: null },
] as const;

/** Median of the rounds, µs per call, and the spread between the best and the worst. */
function microseconds(samples: readonly number[]): string {
  const sorted = samples.toSorted((a, b) => a - b);
  const median = sorted[sorted.length >> 1]!;
  return `${median.toFixed(1).padStart(7)} µs (${sorted[0]!.toFixed(1)}–${sorted.at(-1)!.toFixed(1)})`;
}

let serial = 0;
for (const { alg, kid, key, publicKey } of KINDS) {
  const first: number[] = [];
  const again: number[] = [];
  const bare: number[] = [];
  const jose: number[] = [];
  let length = 0;
  for (let round = 0; round < ROUNDS; round++) {
    const tokens = Array.from({ length: FIRST }, () =>
      token(alg, key, { header: { alg, kid, typ: "JWT" }, payload: payload(serial++) }),
    );
    length = tokens[0]!.length;
    // Header, exchange and all are made beforehand: only the step is measured.
    const exchanges = tokens.map((one) =>
      exchangeOf({ headers: ["Authorization", `Bearer ${one}`] }, snapshot, services),
    );
    let start = performance.now();
    for (const exchange of exchanges) step.run(exchange, null);
    first.push(((performance.now() - start) * 1000) / FIRST);

    const known = Array.from({ length: 100 }, (_, i) => exchanges[i]!);
    start = performance.now();
    for (let i = 0; i < AGAIN; i++) step.run(known[i % known.length]!, null);
    again.push(((performance.now() - start) * 1000) / AGAIN);

    if (publicKey !== null) {
      const parts = tokens.map((one) => ({
        input: Buffer.from(one.slice(0, one.lastIndexOf("."))),
        signature: Buffer.from(one.slice(one.lastIndexOf(".") + 1), "base64url"),
      }));
      const how =
        alg === "ES256"
          ? { key: publicKey, dsaEncoding: "ieee-p1363" as const }
          : alg === "PS256"
            ? { key: publicKey, padding: 6, saltLength: -1 }
            : publicKey;
      start = performance.now();
      for (const { input, signature } of parts)
        if (!verify("sha256", input, how, signature)) throw new Error("bad signature");
      bare.push(((performance.now() - start) * 1000) / FIRST);
    }
    start = performance.now();
    for (const one of tokens)
      await jwtVerify(one, publicKey ?? SECRET, {
        issuer: CLAIMS.iss,
        audience: CLAIMS.aud,
        currentDate: new Date(NOW * 1000),
      });
    jose.push(((performance.now() - start) * 1000) / FIRST);
  }
  console.log(`${alg}, ${length} characters`);
  console.log(`  first        ${microseconds(first)}`);
  console.log(`  again        ${microseconds(again)}`);
  if (bare.length > 0) console.log(`  bare verify  ${microseconds(bare)}`);
  console.log(`  jose         ${microseconds(jose)}`);
}
