/**
 * Keys, tokens and passwords in texts: by what providers write before them, and by how random they look where a name
 * (`api_key = …`) is all there is.
 */
import { type Finding, withoutOverlaps } from "./finding.ts";
import { fold } from "./fold.ts";
import { inOriginal } from "./personal-data.ts";

interface SecretForm {
  readonly kind: string;
  /** In lower case; none of them in the text: the form is not tried. */
  readonly hints: readonly string[];
  /** With flag `g`, every quantifier bounded. A group, if there is one, is the secret itself. */
  readonly form: RegExp;
  /** Bits per character at least; for what has no certain form. */
  readonly entropy?: number;
  /** 7: certain, 5: likely. */
  readonly severity: number;
}

const FORMS: readonly SecretForm[] = [
  {
    kind: "aws-access-key",
    hints: ["akia", "asia", "abia", "acca"],
    form: /(?<![A-Za-z0-9])(?:AKIA|ASIA|ABIA|ACCA)[A-Z2-7]{16}(?![A-Za-z0-9])/g,
    severity: 7,
  },
  {
    kind: "aws-secret-key",
    hints: ["secret"],
    form: /(?:aws.{0,20}secret|secret.?access.?key)[^\n]{0,20}?[=:"'\s]([A-Za-z0-9/+]{40})(?![A-Za-z0-9/+=])/gi,
    entropy: 4,
    severity: 7,
  },
  { kind: "google-api-key", hints: ["aiza"], form: /(?<![\w-])AIza[\w-]{35}(?![\w-])/g, severity: 7 },
  {
    kind: "google-oauth",
    hints: ["ya29.", "gocspx-"],
    form: /(?<![\w-])(?:ya29\.[\w-]{20,400}|GOCSPX-[\w-]{28})/g,
    severity: 7,
  },
  {
    kind: "azure-storage-key",
    hints: ["accountkey="],
    form: /AccountKey=([A-Za-z0-9+/]{86}==)/gi,
    severity: 7,
  },
  {
    kind: "azure-shared-access-key",
    hints: ["sharedaccesskey="],
    form: /SharedAccessKey=([A-Za-z0-9+/]{40,90}={0,2})/gi,
    severity: 7,
  },
  {
    kind: "azure-sas",
    hints: ["sig="],
    form: /[?&]sig=([A-Za-z0-9%+/]{40,70}(?:%3D|=){1,2})/gi,
    severity: 7,
  },
  {
    kind: "azure-client-secret",
    hints: ["q~"],
    form: /(?<![\w~.-])[\w~.-]{3}[78]Q~[\w~.-]{31,34}(?![\w~.-])/g,
    severity: 7,
  },
  {
    kind: "azure-openai-key",
    hints: ["acog", "aaac"],
    form: /(?<![A-Za-z0-9])[A-Za-z0-9]{52}JQQJ99[A-Za-z0-9]{10}AC[A-Za-z0-9]{14}(?![A-Za-z0-9])|(?<![A-Za-z0-9])[A-Za-z0-9]{76}ACOG[A-Za-z0-9]{4}(?![A-Za-z0-9])/g,
    severity: 7,
  },
  {
    kind: "github-token",
    hints: ["gh"],
    form: /(?<![A-Za-z0-9])gh[pousr]_[A-Za-z0-9]{36,251}(?![A-Za-z0-9])/g,
    severity: 7,
  },
  {
    kind: "github-token",
    hints: ["github_pat_"],
    form: /github_pat_[A-Za-z0-9]{22}_[A-Za-z0-9]{59}(?![A-Za-z0-9])/g,
    severity: 7,
  },
  { kind: "gitlab-token", hints: ["glpat-"], form: /(?<![\w-])glpat-[\w-]{20,64}/g, severity: 7 },
  {
    kind: "slack-token",
    hints: ["xox"],
    form: /(?<![A-Za-z0-9])xox[abeoprs]-[A-Za-z0-9-]{10,200}/g,
    entropy: 2.5,
    severity: 7,
  },
  {
    kind: "slack-webhook",
    hints: ["hooks.slack.com"],
    form: /hooks\.slack\.com\/services\/T\w{8,12}\/B\w{8,12}\/\w{20,32}/g,
    severity: 7,
  },
  {
    kind: "stripe-key",
    hints: ["k_live_", "k_test_", "whsec_"],
    form: /(?<![A-Za-z0-9])(?:[srp]k_(?:live|test)_[A-Za-z0-9]{16,200}|whsec_[A-Za-z0-9+/]{24,80})/g,
    severity: 7,
  },
  {
    kind: "anthropic-key",
    hints: ["sk-ant-"],
    form: /(?<![\w-])sk-ant-[a-z0-9]{2,10}-[\w-]{24,200}/g,
    entropy: 3,
    severity: 7,
  },
  {
    kind: "openai-key",
    hints: ["sk-"],
    form: /(?<![\w-])sk-(?!ant-)(?:(?:proj|svcacct|admin|None)-[\w-]{20,220}|[A-Za-z0-9]{32,64}(?![\w-]))/g,
    entropy: 3.3,
    severity: 7,
  },
  {
    kind: "huggingface-token",
    hints: ["hf_"],
    form: /(?<![A-Za-z0-9])hf_[A-Za-z0-9]{34}(?![A-Za-z0-9])/g,
    severity: 7,
  },
  {
    kind: "npm-token",
    hints: ["npm_"],
    form: /(?<![A-Za-z0-9])npm_[A-Za-z0-9]{36}(?![A-Za-z0-9])/g,
    severity: 7,
  },
  { kind: "sendgrid-key", hints: ["sg."], form: /(?<![\w.])SG\.[\w-]{22}\.[\w-]{43}(?![\w-])/g, severity: 7 },
  { kind: "twilio-key", hints: ["sk"], form: /(?<![A-Za-z0-9])SK[0-9a-f]{32}(?![A-Za-z0-9])/g, severity: 5 },
  {
    kind: "model-key",
    hints: ["gsk_", "xai-", "pplx-"],
    form: /(?<![\w-])(?:gsk_[A-Za-z0-9]{52}|xai-[A-Za-z0-9]{80}|pplx-[A-Za-z0-9]{48})(?![\w-])/g,
    severity: 7,
  },
  {
    kind: "service-token",
    hints: ["_v1_", "shp", "glsa_", "pypi-"],
    form: /(?<![\w-])(?:do[opr]_v1_[0-9a-f]{64}|shp(?:at|ca|pa|ss)_[0-9a-f]{32}|glsa_[A-Za-z0-9]{32}_[0-9a-f]{8}|pypi-AgEI[\w-]{50,400})(?![\w-])/g,
    severity: 7,
  },
  {
    kind: "jwt",
    hints: ["eyj"],
    form: /(?<![\w-])eyJ[\w-]{10,2000}\.eyJ[\w-]{10,6000}\.[\w-]{10,1400}(?![\w-])/g,
    severity: 7,
  },
  {
    kind: "connection-string",
    hints: ["://"],
    form: /(?<![A-Za-z])[A-Za-z][A-Za-z0-9+.-]{1,20}:\/\/[^\s:@/"']{0,64}:([^\s@/"']{3,128})@[\w[]/g,
    severity: 7,
  },
  {
    kind: "password",
    hints: ["passw", "pwd", "passphrase"],
    form: /(?<![A-Za-z])(?:password|passwd|pwd|passphrase)["']?(?: is)? {0,3}[:=]{1,2} {0,3}["']?([^\s"';,]{6,128})/gi,
    entropy: 2.5,
    severity: 5,
  },
  {
    kind: "password",
    hints: ["password is", "passphrase is"],
    form: /(?<![A-Za-z])(?:password|passphrase) is ["']?((?=[^\s"']{0,64}\d)(?=[^\s"']{0,64}[^\w\s"'.,;:!?-])[^\s"',;]{6,128})/gi,
    entropy: 2.5,
    severity: 5,
  },
  {
    kind: "api-key",
    hints: ["key", "secret", "token", "bearer"],
    form: /(?<![A-Za-z])(?:[A-Za-z]{1,12}[_-]){0,2}(?:api[ _-]?key|secret(?:[ _-]?key)?|client[_-]?secret|(?:access|auth|refresh)[_-]?(?:key|token)|token|authorization["']? {0,2}[:=] {0,2}["']?bearer)["']?(?: is)?(?: {0,3}[:=]{1,2} {0,3}| )["']?([A-Za-z0-9][A-Za-z0-9_+/.~-]{15,199}={0,2})(?![A-Za-z0-9])/gi,
    entropy: 3.2,
    severity: 5,
  },
];

const KEY_BEGIN = /-----BEGIN (?:[A-Z0-9]{1,12} ){0,3}PRIVATE KEY(?: BLOCK)?-----/g;
/** Longer than any key in use. */
const LONGEST_KEY = 16 * 1024;

/** @returns in the order of the text, no two overlapping; offsets are those of `text` */
export function findSecrets(text: string): Finding[] {
  const folded = fold(text);
  const findings: Finding[] = [];
  const lower = folded.text.toLowerCase();
  for (const { kind, hints, form, entropy, severity } of FORMS) {
    if (!hints.some((hint) => lower.includes(hint))) continue;
    for (const match of folded.text.matchAll(form)) {
      const secret = match[1] ?? match[0];
      if (entropy !== undefined && (entropyOf(secret) < entropy || isFiller(secret, severity))) continue;
      const start = match.index + (match[1] === undefined ? 0 : match[0].lastIndexOf(match[1]));
      findings.push({ kind, start, end: start + secret.length, severity });
    }
  }
  if (lower.includes("private key")) privateKeys(folded.text, findings);
  const kept = findings.length < 2 ? findings : withoutOverlaps(findings);
  return folded.text === text ? kept : kept.map((finding) => inOriginal(finding, folded.at));
}

function privateKeys(text: string, findings: Finding[]): void {
  for (const match of text.matchAll(KEY_BEGIN)) {
    const end = match[0].replace("BEGIN", "END");
    const window = text.slice(match.index, match.index + LONGEST_KEY);
    const at = window.indexOf(end);
    const length =
      at < 0
        ? Math.min(window.length, match[0].length + base64Run(window, match[0].length))
        : at + end.length;
    findings.push({ kind: "private-key", start: match.index, end: match.index + length, severity: 7 });
  }
}

/** How far what looks like a key goes on, should its end be missing. */
function base64Run(text: string, from: number): number {
  const run = /^[A-Za-z0-9+/=\s\\]{0,16384}/.exec(text.slice(from));
  return run === null ? 0 : run[0].length;
}

/** Shannon's, in bits per character. */
export function entropyOf(text: string): number {
  const counts = new Map<string, number>();
  for (const character of text) counts.set(character, (counts.get(character) ?? 0) + 1);
  let bits = 0;
  for (const count of counts.values()) bits -= (count / text.length) * Math.log2(count / text.length);
  return bits;
}

/** What stands where a secret would: words, placeholders, references. Of likely ones a digit is asked for, too. */
function isFiller(secret: string, severity: number): boolean {
  if (
    /example|placeholder|changeme|your[_-]|xxxx|\*\*\*|<|\$\{|\{\{|process\.env|os\.environ|getenv/i.test(
      secret,
    )
  )
    return true;
  return severity < 7 && !/\d/.test(secret) && !/[^\w.-]/.test(secret);
}
