/** Subscription keys by a keyed hash: comparing digests of a secret-keyed function leaks nothing about the keys. */
import { createHmac, randomBytes } from "node:crypto";
import type { KeyIndex, KeyMatch, Subscription } from "./snapshot.ts";

/** Longer ones are no keys (`resources.md` §1.12: 1–256 characters). */
const LONGEST = 256;

export function indexKeys(subscriptions: readonly Subscription[]): KeyIndex {
  const secret = randomBytes(32);
  const digest = (key: string): string => createHmac("sha256", secret).update(key).digest("base64");
  const byDigest = new Map<string, KeyMatch>();
  for (const subscription of subscriptions) {
    for (const key of [subscription.primaryKey, subscription.secondaryKey]) {
      if (key !== "") byDigest.set(digest(key), { subscription });
    }
  }
  return {
    find: (key) => (key.length > LONGEST ? null : (byDigest.get(digest(key)) ?? null)),
  };
}
