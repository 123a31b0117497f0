import { describe, expect, test } from "vitest";
import { readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type Files, info, loadFiles, told, withFolder } from "./folder.fixture.ts";
import { fileKeyStore } from "./keys.ts";
import { loadFolder } from "./load.ts";
import type { Environment } from "./secrets.ts";

const FILE = "namedValues/openai-key/namedValueInformation.json";
const VAULT = { secretIdentifier: "https://v.vault.azure.net/secrets/vault-name/123" };

describe("named values", () => {
  test.each<[string, object, Environment, string | undefined, string[]]>([
    ["as written", { value: "plain" }, {}, "plain", []],
    ["an expression", { value: "@(1 + 1)" }, {}, "@(1 + 1)", []],
    ["the variable of its name", { secret: true }, { HEADGATE_NAMED_VALUE_OPENAI_KEY: "e" }, "e", []],
    ["the variable wins", { value: "plain" }, { HEADGATE_NAMED_VALUE_OPENAI_KEY: "e" }, "e", []],
    [
      "the file of its name",
      { secret: true },
      { HEADGATE_NAMED_VALUE_OPENAI_KEY_FILE: "DIR/secret.txt" },
      "from file",
      [],
    ],
    [
      "a file that is not there",
      { value: "plain" },
      { HEADGATE_NAMED_VALUE_OPENAI_KEY_FILE: "/nowhere/x" },
      "plain",
      [
        "HG5405 error - `HEADGATE_NAMED_VALUE_OPENAI_KEY_FILE` comes from the file `/nowhere/x`, which cannot be read",
      ],
    ],
    ["valueFrom env", { valueFrom: { env: "OPENAI_API_KEY" } }, { OPENAI_API_KEY: "k" }, "k", []],
    ["valueFrom file", { valueFrom: { file: "secret.txt" } }, {}, "from file", []],
    ["valueFrom with a default", { valueFrom: { env: "NOPE", default: "d" } }, {}, "d", []],
    [
      "valueFrom without",
      { valueFrom: { env: "NOPE" } },
      {},
      undefined,
      [
        `HG5405 error ${FILE}:4:18 named value \`openai-key\` comes from the variable \`NOPE\`, which is not set (or give it a \`default\`)`,
      ],
    ],
    [
      "valueFrom two places",
      { valueFrom: { env: "A", file: "b" } },
      { A: "x" },
      undefined,
      [
        `HG5405 error ${FILE}:4:18 named value \`openai-key\` comes from \`valueFrom\`, which must have either \`env\` or \`file\``,
      ],
    ],
    ["a mounted folder", { secret: true }, { HEADGATE_SECRETS_DIR: "DIR/mounted" }, "by name", []],
    [
      "a mounted folder, by vault name",
      { secret: true, keyVault: VAULT, displayName: "x" },
      { HEADGATE_SECRETS_DIR: "DIR/vault" },
      "by vault",
      [],
    ],
    [
      "redacted",
      { secret: true, value: "*** REDACTED ***" },
      {},
      undefined,
      [
        `HG5404 warning ${FILE}:2:17 named value \`openai-key\` is a secret without a value and is left out (set \`HEADGATE_NAMED_VALUE_OPENAI_KEY\`)`,
      ],
    ],
  ])("%s", async (_, properties, environment, value, problems) => {
    const files: Files = {
      [FILE]: info({ displayName: "openai-key", ...properties }),
      "secret.txt": "from file\n",
      "mounted/openai-key": "by name",
      "vault/vault-name": "by vault\r\n",
    };
    await withFolder(files, async (folder) => {
      const real = Object.fromEntries(
        Object.entries(environment).map(([name, text]) => [name, text?.replace("DIR", folder)]),
      );
      const loaded = await loadFolder(folder, { environment: real });
      expect(loaded.resources.get("/namedValues/openai-key")?.properties["value"]).toBe(value);
      const found = loaded.problems.filter(({ code }) => code !== "HG5602");
      expect(told(found)).toEqual(problems);
    });
  });

  test("two names, one variable", async () => {
    const { problems } = await loadFiles({
      "namedValues/a/namedValueInformation.json": info({ displayName: "my-key", value: "1" }),
      "namedValues/b/namedValueInformation.json": info({ displayName: "my.key", value: "2" }),
    });
    expect(told(problems)).toEqual([
      "HG5410 warning namedValues/b/namedValueInformation.json:3:20 named values `my.key` and `my-key` read the same variable `HEADGATE_NAMED_VALUE_MY_KEY`",
    ]);
  });
});

describe("subscription keys", () => {
  const file = (properties: object) => ({
    "subscriptions/s/subscriptionInformation.json": info({ displayName: "S", scope: "/apis", ...properties }),
  });

  test("written, from elsewhere, or made", async () => {
    const { resources } = await loadFiles(
      file({ primaryKey: "literal", secondaryKey: { valueFrom: { env: "K" } } }),
      { environment: { K: "env" } },
    );
    expect(resources.get("/subscriptions/s")?.properties).toMatchObject({
      primaryKey: "literal",
      secondaryKey: "env",
    });
    const made = await loadFiles(file({}));
    expect(made.resources.get("/subscriptions/s")?.properties["primaryKey"]).toMatch(/^[0-9a-f]{32}$/);
    expect(made.resources.get("/subscriptions/master")?.properties["primaryKey"]).toMatch(/^[0-9a-f]{32}$/);
  });

  test("made once, kept for its owner alone, and never made again over a damaged file", async () => {
    await withFolder({ ...file({}), "data/.keep": undefined }, async (folder) => {
      const path = join(folder, "data", "new", "keys.json");
      const key = async () => {
        const { resources } = await loadFolder(folder, { keys: await fileKeyStore(path) });
        return resources.get("/subscriptions/S")?.properties["primaryKey"];
      };
      const first = await key();
      expect(await key()).toBe(first);
      expect((await stat(path)).mode & 0o777).toBe(0o600);
      expect(JSON.parse(await readFile(path, "utf8"))["/subscriptions/s"].primaryKey).toBe(first);
      await writeFile(path, "{");
      await expect(fileKeyStore(path)).rejects.toThrow(/is damaged/);
    });
  });

  test("one key cannot open two doors", async () => {
    const { problems } = await loadFiles({
      "subscriptions/a/subscriptionInformation.json": info({ scope: "/apis", primaryKey: "same" }),
      "subscriptions/b/subscriptionInformation.json": info({ scope: "/apis", secondaryKey: "same" }),
    });
    expect(told(problems)).toEqual([
      "HG4606 error subscriptions/b/subscriptionInformation.json:4:21 subscription `b` has the same key as subscription `a`",
    ]);
  });
});
