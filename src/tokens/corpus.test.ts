import { afterAll, beforeAll, expect, test } from "vitest";
import type { Step } from "../compiler/policy.ts";
import { exchangeOf, policyStep, servicesOf, snapshotOf } from "../gateway/testing.ts";
import { validateJwt } from "../policies/validate-jwt/policy.ts";
import { createClient } from "../transport/node/index.ts";
import { HONEST, TRICKY } from "./corpus.ts";
import { type Provider, startProvider } from "./provider.fixture.ts";
import { P256, RSA, SECRET, judge, jwkOf, rsaElement, secretElement } from "./testing.ts";

const rules = {
  audiences: [{ children: { audience: [{ text: "api://headgate" }] } }],
  issuers: [{ children: { issuer: [{ text: "https://issuer.example/" }] } }],
};
const client = createClient();
const services = servicesOf({ client });
let provider: Provider;
let step: Step;

beforeAll(async () => {
  provider = await startProvider([jwkOf(P256.publicKey, { kid: "ec" })]);
  provider.issuer = "https://issuer.example/";
  step = policyStep(validateJwt, {
    children: {
      ...rules,
      "issuer-signing-keys": [
        { children: { key: [rsaElement(RSA.publicKey, "rsa"), secretElement(SECRET, "hs")] } },
      ],
      "openid-config": [{ attributes: { url: provider.configUrl } }],
    },
    attributes: { "header-name": "Authorization", "output-token-variable-name": "jwt" },
  });
});

afterAll(async () => {
  await client.close();
  await provider.close();
});

/** Twice: what is remembered of the first time must not help. */
async function reasons(token: string): Promise<string[]> {
  const found: string[] = [];
  for (let i = 0; i < 2; i++) {
    const exchange = exchangeOf({ headers: ["Authorization", `Bearer ${token}`] }, snapshotOf(), services);
    try {
      await step.run(exchange, null);
      found.push("ok");
    } catch (error) {
      found.push((error as { reason?: string }).reason ?? String(error));
      if (exchange.variables.has("jwt")) found.push("but the variable was set");
    }
  }
  return found;
}

test("the corpus is as large as it says", () => {
  expect(TRICKY.length).toBeGreaterThanOrEqual(200);
  expect(new Set(TRICKY.map(({ name }) => name)).size).toBe(TRICKY.length);
});

test.each(TRICKY.map(({ name, token, reason }) => [name, token, reason] as const))(
  "refused: %s",
  async (_name, token, reason) => {
    expect(await reasons(token)).toEqual([reason, reason]);
  },
);

test.each(HONEST)("accepted: %s", async (_name, token) => {
  expect(await reasons(token)).toEqual(["ok", "ok"]);
});

test("every cut and every changed character of a good token is refused", async () => {
  const one = {
    children: { ...rules, "issuer-signing-keys": [{ children: { key: [secretElement(SECRET)] } }] },
    attributes: { "header-name": "Authorization" },
  };
  const good = HONEST.find(([name]) => name === "HS256")![1];
  expect((await judge(validateJwt, one, good)).verdict).toBe("ok");
  const accepted: string[] = [];
  for (let i = 0; i < good.length; i++) {
    const changed = good.slice(0, i) + (good[i] === "A" ? "B" : "A") + good.slice(i + 1);
    for (const text of [changed, good.slice(0, i), good.slice(0, i) + good.slice(i + 1)]) {
      if ((await judge(validateJwt, one, text)).verdict === "ok") accepted.push(text);
    }
  }
  expect(accepted).toEqual([]);
});
