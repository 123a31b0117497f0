/** Tokens and client certificates against a whole gateway: real TLS, a real provider, policies as they are written. */
import { request as httpsRequest } from "node:https";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Made, certificate } from "../src/policies/validate-client-certificate/certificates.fixture.ts";
import { type Provider, startProvider } from "../src/tokens/provider.fixture.ts";
import { OTHER_RSA, RSA, jwkOf, token } from "../src/tokens/testing.ts";
import { type TestGateway, api, policy, testGateway } from "./gateway.ts";

const times = { notBefore: Date.UTC(2020, 0, 1), notAfter: Date.UTC(2045, 0, 1) };
const root = certificate({ subject: [["CN", "Root"]], depth: Infinity, ...times });
const server = certificate({ subject: [["CN", "localhost"]], ...times });
const client = certificate({
  subject: [
    ["O", "Contoso, Inc."],
    ["CN", "client"],
  ],
  issuer: root,
  serial: "07",
  ...times,
});
const stranger = certificate({ subject: [["CN", "client"]], ...times });

const pem = ({ der }: Made): string =>
  `-----BEGIN CERTIFICATE-----\n${der.toString("base64").replace(/.{64}/g, "$&\n")}\n-----END CERTIFICATE-----\n`;
const key = ({ privateKey }: Made): string => privateKey.export({ type: "pkcs8", format: "pem" }) as string;

let provider: Provider;
let gateway: TestGateway;

beforeAll(async () => {
  provider = await startProvider([jwkOf(RSA.publicKey, { kid: "k1" })]);
  const certificatePolicy = policy({
    inbound: `<validate-client-certificate validate-revocation="false"><identities>
      <identity subject="CN=client, O=&quot;Contoso, Inc.&quot;" issuer-certificate-id="root" /></identities></validate-client-certificate>
      <return-response><set-body>@(context.Request.Certificate.Subject)</set-body></return-response>`,
    onError: `<set-header name="X-Message"><value>@(context.LastError.Message)</value></set-header>`,
  });
  const tokenPolicy = policy({
    inbound: `<validate-jwt header-name="Authorization" require-scheme="Bearer" output-token-variable-name="jwt">
      <openid-config url="${provider.configUrl}" /></validate-jwt>
      <return-response><set-body>@(((Jwt)context.Variables["jwt"]).Subject)</set-body></return-response>`,
  });
  gateway = await testGateway(
    {
      ...api("certificates", undefined, ["GET /x"], { policy: certificatePolicy }),
      ...api("tokens", undefined, ["GET /x"], { policy: tokenPolicy }),
      "certificates/root/certificateInformation.json": { properties: { data: root.der.toString("base64") } },
    },
    { tls: { key: key(server), cert: pem(server), requestClientCertificate: true } },
  );
});

afterAll(async () => {
  await gateway.close();
  await provider.close();
});

function get(path: string, headers: Record<string, string>, presented: Made | null): Promise<string> {
  const tls = presented === null ? {} : { key: key(presented), cert: pem(presented) };
  return new Promise((resolve, reject) => {
    const sent = httpsRequest(
      `${gateway.url}${path}`,
      { headers, rejectUnauthorized: false, agent: false, ...tls },
      (answer) => {
        let body = "";
        answer.setEncoding("utf8").on("data", (text: string) => (body += text));
        answer.on("end", () =>
          resolve(
            [answer.statusCode, answer.headers["x-message"], body]
              .filter((part) => part !== undefined)
              .join(" | "),
          ),
        );
      },
    );
    sent.on("error", reject).end();
  });
}

test.each<[string, Made | null, string]>([
  ["the right one", client, '200 | CN=client, O="Contoso, Inc."'],
  [
    "none",
    null,
    '401 | The client certificate is not valid: none was presented. | { "statusCode": 401, "message": "Invalid client certificate" }',
  ],
  [
    "a stranger's",
    stranger,
    '401 | The client certificate is not valid: it does not lead to a trusted authority. | { "statusCode": 401, "message": "Invalid client certificate" }',
  ],
])("client certificate: %s", async (_name, presented, expected) => {
  expect(await get("/certificates/x", {}, presented)).toBe(expected);
});

const claims = (more: object = {}): object => ({
  sub: "ada",
  iss: provider.issuer,
  exp: Math.floor(Date.now() / 1000) + 3600,
  ...more,
});
const bearer = (alg: string, pair: typeof RSA, kid: string, more?: object): Record<string, string> => ({
  Authorization: `Bearer ${token(alg, pair.privateKey, { header: { alg, kid }, payload: claims(more) })}`,
});

test("tokens of a provider that changes its keys", async () => {
  const refused = '401 | { "statusCode": 401, "message": "Invalid JWT." }';
  expect(await get("/tokens/x", bearer("RS256", RSA, "k1"), null)).toBe("200 | ada");
  expect(await get("/tokens/x", bearer("PS256", RSA, "k1"), null)).toBe("200 | ada");
  expect(await get("/tokens/x", bearer("RS256", OTHER_RSA, "k1"), null)).toBe(refused);
  expect(await get("/tokens/x", bearer("RS256", RSA, "k1", { exp: 1 }), null)).toBe(refused);
  expect(await get("/tokens/x", {}, null)).toBe('401 | { "statusCode": 401, "message": "JWT not present." }');
  provider.keys = [jwkOf(OTHER_RSA.publicKey, { kid: "k2" })];
  expect(await get("/tokens/x", bearer("RS256", OTHER_RSA, "k2"), null)).toBe("200 | ada");
  expect(await get("/tokens/x", bearer("RS256", RSA, "k1"), null)).toBe(refused);
});
