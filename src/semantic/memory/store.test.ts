import { semanticStoreSuite } from "../semantic-store.suite.ts";
import { MemorySemanticStore } from "./store.ts";

const open = (mostBytes?: number) => {
  let now = 0;
  return { store: new MemorySemanticStore(() => now, mostBytes), pass: (ms: number) => void (now += ms) };
};

semanticStoreSuite("memory", () => open(), {
  bounded: (mostBytes) => Promise.resolve(open(mostBytes)),
});
