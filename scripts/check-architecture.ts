/**
 * Holds the code against ARCHITECTURE.md: every folder is named, every named folder exists, and every import is one
 * that the page's table allows. The table is read from the page, so page and check cannot drift apart.
 *
 * Usage: `node scripts/check-architecture.ts [ROOT]`; exits 1 with one line per breach.
 */
import { existsSync, readFileSync, readdirSync, statSync } from "node:fs";
import { dirname, join, relative, resolve, sep } from "node:path";

const SOCKETS = new Set([
  "node:http",
  "node:https",
  "node:http2",
  "node:net",
  "node:tls",
  "node:dgram",
  "undici",
  "http",
  "https",
  "net",
  "tls",
]);
/** Calls that only `start.ts`, `main.ts` and `settings.ts` may make. */
const WORLD = /\b(?:Date\.now\(|Math\.random\(|process\.env\b)/;
const WORLDLY = new Set(["start.ts", "main.ts", "settings.ts"]);
const GENERATED_CODE = /\beval\(|\bnew Function\(/;

/** @returns one line per breach */
export function checkArchitecture(root: string): string[] {
  const page = readFileSync(join(root, "ARCHITECTURE.md"), "utf8");
  const named = [...section(page, "## Folders").matchAll(/^\| `src\/([\w-]+)` \|/gm)].map(
    (match) => match[1]!,
  );
  const allowed = readTable(section(page, "## Who may import whom"));
  const source = join(root, "src");
  const folders = readdirSync(source).filter((name) => statSync(join(source, name)).isDirectory());
  const breaches: string[] = [];
  for (const folder of folders) {
    if (!named.includes(folder)) breaches.push(`ARCHITECTURE.md does not name src/${folder}`);
    if (!allowed.has(folder)) breaches.push(`the import table has no row for src/${folder}`);
  }
  for (const folder of named)
    if (!folders.includes(folder)) breaches.push(`ARCHITECTURE.md names src/${folder}, which does not exist`);
  for (const file of sourceFiles(source)) breaches.push(...checkFile(root, source, file, allowed));
  return breaches;
}

function section(page: string, heading: string): string {
  const start = page.indexOf(heading);
  if (start < 0) return "";
  const end = page.indexOf("\n## ", start + heading.length);
  return end < 0 ? page.slice(start) : page.slice(start, end);
}

/** `| \`a\` | \`b\`, \`c/d\` |` → a → [b, c/d] */
function readTable(text: string): Map<string, string[]> {
  const table = new Map<string, string[]>();
  for (const match of text.matchAll(/^\| `([\w.-]+)` \|(.*)\|\s*$/gm)) {
    table.set(
      match[1]!,
      match[2]!.includes("everything") ? ["*"] : [...match[2]!.matchAll(/`([^`]+)`/g)].map((m) => m[1]!),
    );
  }
  return table;
}

function sourceFiles(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return sourceFiles(path);
    return entry.name.endsWith(".ts") ? [path] : [];
  });
}

function checkFile(
  root: string,
  source: string,
  file: string,
  allowed: ReadonlyMap<string, string[]>,
): string[] {
  const inside = relative(source, file).split(sep).join("/");
  const where = relative(root, file).split(sep).join("/");
  const text = withoutComments(readFileSync(file, "utf8"));
  const isTest = /\.(test|suite|fixture)\.ts$|\/testing(-\w+)?\.ts$/.test(file) || inside.includes("/suite/");
  const folder = inside.includes("/") ? inside.slice(0, inside.indexOf("/")) : inside;
  const breaches: string[] = [];
  for (const specifier of importsOf(text)) {
    if (!specifier.startsWith(".")) {
      if (SOCKETS.has(specifier) && folder !== "transport" && !isTest) {
        breaches.push(`${where} imports ${specifier}: sockets are for src/transport alone`);
      }
      continue;
    }
    const target = resolve(dirname(file), specifier);
    if (!existsSync(target)) breaches.push(`${where} imports ${specifier}, which does not exist`);
    if (isTest) continue;
    const breach = checkImport(folder, inside, relative(source, target).split(sep).join("/"), allowed);
    if (breach !== null) breaches.push(`${where} imports ${specifier}: ${breach}`);
  }
  if (!isTest && !WORLDLY.has(inside) && WORLD.test(text)) {
    breaches.push(`${where} reads the clock, chance or the environment: only ${[...WORLDLY].join(", ")} may`);
  }
  if (GENERATED_CODE.test(text)) breaches.push(`${where} makes code from text (eval, new Function)`);
  return breaches;
}

function checkImport(
  folder: string,
  from: string,
  to: string,
  allowed: ReadonlyMap<string, string[]>,
): string | null {
  if (to.startsWith("..")) return "it lies outside src";
  const target = to.includes("/") ? to.slice(0, to.indexOf("/")) : to;
  if (folder === "policies" && target === "policies") {
    const own = from.split("/")[1];
    const other = to.split("/")[1];
    return own === other || from === "policies/index.ts" ? null : "a policy never imports another policy";
  }
  if (target === folder || target === "base") return null;
  const list = allowed.get(folder);
  if (list === undefined) return "its folder has no row in the import table";
  if (
    list.includes("*") ||
    list.includes(target) ||
    list.some((entry) => entry === to || to.startsWith(`${entry}/`))
  )
    return null;
  return `${folder} may not import ${target} (ARCHITECTURE.md, "Who may import whom")`;
}

function importsOf(text: string): string[] {
  const pattern =
    /(?:^|\n)\s*(?:import|export)\b[^"';]*?from\s*["']([^"']+)["']|(?:^|\n)\s*import\s*["']([^"']+)["']|\bimport\(\s*["']([^"']+)["']\s*\)/g;
  return [...text.matchAll(pattern)].map((match) => (match[1] ?? match[2] ?? match[3])!);
}

/** Blanks comments out so that what they mention does not count. Strings may keep `//`; no import hides there. */
function withoutComments(text: string): string {
  return text.replace(/\/\*[\s\S]*?\*\//g, "").replace(/(^|[\s;{(,])\/\/[^\n]*/g, "$1");
}

if (process.argv[1] !== undefined && import.meta.filename === resolve(process.argv[1])) {
  const breaches = checkArchitecture(resolve(process.argv[2] ?? "."));
  for (const breach of breaches) console.error(breach);
  if (breaches.length > 0) {
    console.error(`${breaches.length} breach${breaches.length === 1 ? "" : "es"} of ARCHITECTURE.md`);
    process.exitCode = 1;
  }
}
