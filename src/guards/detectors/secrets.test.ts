import { expect, test } from "vitest";
import { entropyOf, findSecrets } from "./secrets.ts";

/** Parts are joined here, so that nobody's scanner takes this file for a leak. */
const key = (...parts: string[]): string => parts.join("");
const RANDOM = "aB3dE5gH7jK9mN1pQ3sT5vW7yZ9bC1dE3fG5hJ7kL9";

test.each<[string, string, readonly string[]]>([
  ["aws-access-key", `id ${key("AKIA", "IOSFODNN7EXAMPLE")}.`, [key("AKIA", "IOSFODNN7EXAMPLE")]],
  ["", "AKIAIOSFODNN7EXAMPL", []],
  [
    "aws-secret-key",
    `aws_secret_access_key = ${key("wJalrXUtnFEMI/K7MDENG/", "bPxRfiCYz8Q1KEYabc")}`,
    [key("wJalrXUtnFEMI/K7MDENG/", "bPxRfiCYz8Q1KEYabc")],
  ],
  ["google-api-key", `key=${key("AIza", RANDOM.slice(0, 35))}`, [key("AIza", RANDOM.slice(0, 35))]],
  [
    "azure-storage-key",
    `AccountName=x;AccountKey=${key(RANDOM, RANDOM).slice(0, 84)}ab==;EndpointSuffix=y`,
    [`${key(RANDOM, RANDOM).slice(0, 84)}ab==`],
  ],
  [
    "azure-client-secret",
    `secret ${key("abc8Q~", RANDOM.slice(0, 34))}`,
    [key("abc8Q~", RANDOM.slice(0, 34))],
  ],
  ["github-token", key("ghp", "_", RANDOM.slice(0, 36)), [key("ghp", "_", RANDOM.slice(0, 36))]],
  ["", "ghp_short", []],
  [
    "slack-token",
    key("xoxb", "-123456789012-", RANDOM.slice(0, 24)),
    [key("xoxb", "-123456789012-", RANDOM.slice(0, 24))],
  ],
  ["stripe-key", key("sk_", "live_", RANDOM.slice(0, 24)), [key("sk_", "live_", RANDOM.slice(0, 24))]],
  ["openai-key", key("sk", "-proj-", RANDOM), [key("sk", "-proj-", RANDOM)]],
  ["", "sk-learn-is-a-nice-library-for-everyone", []],
  ["anthropic-key", key("sk", "-ant-api03-", RANDOM), [key("sk", "-ant-api03-", RANDOM)]],
  [
    "jwt",
    key("eyJhbGciOiJIUzI1NiJ9", ".eyJzdWIiOiIxMjM0NSJ9.", RANDOM),
    [key("eyJhbGciOiJIUzI1NiJ9", ".eyJzdWIiOiIxMjM0NSJ9.", RANDOM)],
  ],
  ["", "eyJhbGciOiJIUzI1NiJ9 alone", []],
  [
    "private-key",
    key("-----BEGIN RSA PRIV", "ATE KEY-----\nMIIE\nabc=\n-----END RSA PRIV", "ATE KEY----- and more"),
    [key("-----BEGIN RSA PRIV", "ATE KEY-----\nMIIE\nabc=\n-----END RSA PRIV", "ATE KEY-----")],
  ],
  ["", "-----BEGIN PUBLIC KEY-----", []],
  ["connection-string", "postgres://admin:s3cr3t!pw@db.example:5432/app", ["s3cr3t!pw"]],
  ["", "https://example.com:8080/a@b", []],
  ["password", "Server=x;Password=Tr0ub4dor&3;", ["Tr0ub4dor&3"]],
  ["password", "my password is Tr0ub4dor&3xZ9, help", ["Tr0ub4dor&3xZ9"]],
  ["", "my password is 12345678 characters long", []],
  ["", "the password is required.", []],
  [
    "model-key",
    `use ${key("gs", "k_", RANDOM, RANDOM.slice(0, 10))}`,
    [key("gs", "k_", RANDOM, RANDOM.slice(0, 10))],
  ],
  ["service-token", key("shp", "at_", "0a1b2c3d".repeat(4)), [key("shp", "at_", "0a1b2c3d".repeat(4))]],
  ["service-token", key("dop", "_v1_", "0a1b2c3d".repeat(8)), [key("dop", "_v1_", "0a1b2c3d".repeat(8))]],
  ["service-token", key("pypi", "-AgEI", RANDOM, RANDOM), [key("pypi", "-AgEI", RANDOM, RANDOM)]],
  ["", "password: ${DB_PASSWORD}", []],
  ["", "password = your_password", []],
  ["", "reset your password: please", []],
  ["api-key", `API_KEY="${RANDOM}"`, [RANDOM]],
  ["api-key", `Authorization: Bearer ${RANDOM}`, [RANDOM]],
  ["", "max_tokens: 4096", []],
  ["", "api_key = process.env.API_KEY_FOR_TESTS_1", []],
  ["", "the token limit is exceeded", []],
])("%s: %s", (kind, text, expected) => {
  const findings = findSecrets(text);
  expect(findings.map(({ start, end }) => text.slice(start, end))).toEqual(expected);
  if (kind !== "") expect(findings[0]!.kind).toBe(kind);
});

test.each([
  ["aaaa", 0],
  ["abab", 1],
  ["abcd", 2],
  ["", 0],
])("entropy of %s is %s", (text, bits) => expect(entropyOf(text)).toBeCloseTo(bits));
