import { CompactEncrypt } from "jose";
import { expect, test } from "vitest";
import { openCertificate } from "../../gateway/certificate.ts";
import { exchangeOf, policyStep, servicesOf, snapshotOf } from "../../gateway/testing.ts";
import type { Certificate, Snapshot } from "../../gateway/snapshot.ts";
import { PFX } from "../../tokens/pfx.fixture.ts";
import { RSA, rsaElement, token } from "../../tokens/testing.ts";
import { certificate } from "../validate-client-certificate/certificates.fixture.ts";
import { validateJwt } from "./policy.ts";

const signer = certificate({ subject: [["CN", "signer"]] });
const stranger = certificate({ subject: [["CN", "signer"]] });
const pfx = Buffer.from(PFX, "base64");
const opened = openCertificate(pfx, "secret");
if (typeof opened === "string") throw new Error(opened);

function snapshotWith(certificates: Record<string, Pick<Certificate, "der" | "client">>): Snapshot {
  const all = Object.entries(certificates).map(([id, one]) => ({ id, thumbprint: id, ...one }));
  return snapshotOf({
    certificates: { byId: new Map(all.map((one) => [one.id, one])), byThumbprint: new Map() },
  });
}

const services = servicesOf();
const attributes = { "header-name": "Authorization" };

async function run(step: ReturnType<typeof policyStep>, text: string, snapshot: Snapshot): Promise<string> {
  try {
    await step.run(exchangeOf({ headers: ["Authorization", text] }, snapshot, services), null);
    return "ok";
  } catch (error) {
    return (error as { reason: string }).reason;
  }
}

test("a certificate's key; another one under the same name in the next snapshot", async () => {
  const step = policyStep(validateJwt, {
    attributes,
    children: {
      "issuer-signing-keys": [{ children: { key: [{ attributes: { "certificate-id": "Signer" } }] } }],
    },
  });
  const [now, next, none] = [
    snapshotWith({ signer: { der: signer.der, client: null } }),
    snapshotWith({ signer: { der: stranger.der, client: null } }),
    snapshotWith({}),
  ];
  const text = token("ES256", signer.privateKey);
  expect(await run(step, text, now)).toBe("ok");
  expect(await run(step, text, now)).toBe("ok");
  expect(await run(step, text, next)).toBe("TokenSignatureInvalid");
  expect(await run(step, text, none)).toBe("TokenSignatureKeyNotFound");
  expect(await run(step, text, now)).toBe("ok");
});

const inner = token("RS256", RSA.privateKey);
const thumbprint = opened.certificate.fingerprint.replaceAll(":", "");
const opener = policyStep(validateJwt, {
  attributes,
  children: {
    "issuer-signing-keys": [{ children: { key: [rsaElement(RSA.publicKey)] } }],
    "decryption-keys": [
      {
        children: {
          key: [
            { attributes: { "certificate-id": "other" } },
            { attributes: { "certificate-id": "opener" } },
          ],
        },
      },
    ],
  },
});

test.each<[string, object, Certificate["client"], string]>([
  ["RSA-OAEP", { alg: "RSA-OAEP", enc: "A256CBC-HS512" }, { pfx, passphrase: "secret" }, "ok"],
  [
    "RSA-OAEP-256, with its thumbprint",
    { alg: "RSA-OAEP-256", enc: "A128GCM", kid: thumbprint },
    { pfx, passphrase: "secret" },
    "ok",
  ],
  ["its key as PEM", { alg: "RSA-OAEP", enc: "A256GCM" }, opened.client, "ok"],
  ["no private key", { alg: "RSA-OAEP", enc: "A256GCM" }, null, "JwtInvalid"],
  ["a wrong password", { alg: "RSA-OAEP", enc: "A256GCM" }, { pfx, passphrase: "x" }, "JwtInvalid"],
])("decryption with a certificate: %s", async (_name, header, client, expected) => {
  const text = await new CompactEncrypt(Buffer.from(inner))
    .setProtectedHeader(header as { alg: string; enc: string })
    .encrypt(opened.certificate.publicKey);
  const snapshot = snapshotWith({
    opener: { der: opened.certificate.raw, client },
    other: { der: signer.der, client: null },
  });
  expect(await run(opener, text, snapshot)).toBe(expected);
});
