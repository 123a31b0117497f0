/** The secret behind session cookies, kept beside the other data so that sessions outlive a restart. */
import { randomBytes } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";

/** @param path of the file, made with rights for its owner alone; null: a secret that nobody keeps */
export function sessionSecret(path: string | null): string {
  const fresh = randomBytes(32).toString("base64");
  if (path === null) return fresh;
  try {
    writeFileSync(path, `${fresh}\n`, { mode: 0o600, flag: "wx" });
    return fresh;
  } catch (error) {
    if (!(error instanceof Error && "code" in error && error.code === "EEXIST")) return fresh;
  }
  const kept = readFileSync(path, "utf8").trim();
  return kept === "" ? fresh : kept;
}
