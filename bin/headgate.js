#!/usr/bin/env node
// Plain, old-fashioned JavaScript: it must be able to say on any Node that this Node is too old.
import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

const [major, minor] = process.versions.node.split(".").map(Number);
if (major < 22 || (major === 22 && minor < 19)) {
  console.error(
    `headgate needs Node 22.19 or newer and this is ${process.versions.node}; in the repository "npx headgate" and "npm start" bring their own.`,
  );
  process.exit(78);
}

// Stripped and compiled modules are kept between starts (Node's own cache, in the system's temporary folder).
const { enableCompileCache } = await import("node:module");
enableCompileCache?.();

// In the repository Node runs the TypeScript itself; a published package carries compiled JavaScript.
const root = dirname(dirname(fileURLToPath(import.meta.url)));
const source = join(root, "src", "start.ts");
const main = existsSync(source) ? source : join(root, "dist", "start.js");
const { run } = await import(pathToFileURL(main).href);
process.exitCode = await run(process.argv.slice(2));
