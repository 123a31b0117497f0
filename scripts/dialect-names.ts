/** What people call dialects: `openai-chat`, "Chat Completions", `claude`, `azure-openai-responses`, `groq`, … */
import type { DialectName } from "../src/llm/dialect.ts";
import { DIALECTS } from "../src/llm/providers/index.ts";

/** A dialect, or all those of a provider, among which the recording has to tell. */
export type Named =
  | { readonly dialect: DialectName }
  | {
      readonly prefix: string;
      /** When the recording does not tell. */
      readonly meant: DialectName;
      /** When it looks like somebody else's, as what InvokeModel hands through does. */
      readonly otherwise: DialectName;
    };

export const DIALECT_NAMES: readonly DialectName[] = [...new Set(DIALECTS.map(({ name }) => name))];

const OPENAI: Named = { prefix: "openai-", meant: "openai-chat", otherwise: "openai-chat" };
/** Its reader knows what Converse answers, too. */
const BEDROCK: Named = { prefix: "bedrock-", meant: "bedrock-invoke", otherwise: "bedrock-invoke" };

const PROVIDERS: Readonly<Record<string, Named>> = {
  __proto__: null as never,
  openai: OPENAI,
  azure: OPENAI,
  "azure-openai": OPENAI,
  "azure-ai": OPENAI,
  "azure-ai-inference": OPENAI,
  "azure-foundry": OPENAI,
  "openai-compatible": OPENAI,
  bedrock: BEDROCK,
  "aws-bedrock": BEDROCK,
  "amazon-bedrock": BEDROCK,
  "bedrock-runtime": BEDROCK,
};

const ALIASES: Readonly<Record<DialectName, string>> = {
  "openai-chat":
    "chat chat-completion chat-completions azure-ai-chat deepseek groq mistral xai x-ai grok together together-ai openrouter " +
    "ollama vllm lmstudio perplexity fireworks fireworks-ai cerebras moonshot moonshotai kimi litellm cohere-compatible",
  "openai-completions": "completion completions legacy-completions text-completion text-completions",
  "openai-responses": "response responses",
  "openai-embeddings": "embedding embeddings",
  "openai-images":
    "image images image-generation image-generations images-generations image-edits images-edits",
  "openai-audio":
    "audio speech tts transcription transcriptions translation translations audio-speech audio-transcription " +
    "audio-transcriptions audio-translations",
  "openai-realtime": "realtime realtime-api",
  "anthropic-messages":
    "anthropic claude message messages anthropic-claude claude-messages vertex-anthropic vertex-claude anthropic-vertex",
  gemini:
    "google google-gemini google-ai google-genai genai google-vertex vertex vertex-ai vertex-gemini vertexai gemini-vertex " +
    "gemini-chat generate-content generatecontent gemini-generatecontent gemini-generate-content stream-generate-content " +
    "streamgeneratecontent gemini-embeddings vertex-embeddings interaction interactions gemini-interactions",
  "gemini-live":
    "live gemini-realtime vertex-live google-live vertex-ai-live gemini-live-api bidigeneratecontent",
  "bedrock-converse": "converse converse-stream conversestream",
  "bedrock-invoke":
    "invoke invoke-model invokemodel invoke-with-response-stream invoke-model-with-response-stream " +
    "invokemodelwithresponsestream bedrock-anthropic bedrock-claude bedrock-titan bedrock-llama bedrock-mistral " +
    "bedrock-cohere bedrock-nova bedrock-ai21 bedrock-jamba",
};

const BY_NAME: ReadonlyMap<string, Named> = new Map(
  Object.entries(ALIASES).flatMap(([name, aliases]) => {
    const named: Named = { dialect: name as DialectName };
    return [name, ...aliases.split(" ")].map((alias) => [alias, named] as const);
  }),
);

/** Every name there is, but for what may stand before and behind one. */
export const KNOWN_NAMES: readonly string[] = ["auto", ...BY_NAME.keys(), ...Object.keys(PROVIDERS)];

const BEFORE = /^(?:openai|azure-openai|azure-ai-inference|azure-ai|azure|aws|amazon|bedrock|google)-/;
const BEHIND = /-(?:api|native|v\d\w*|stream|streaming|streamed|sse|json|body|websocket|ws|eventstream)$/;

/** Words by which names that nobody has listed are understood, the more particular first. */
const WORDS: readonly (readonly [RegExp, Named])[] = [
  [/converse/, { dialect: "bedrock-converse" }],
  [/bedrock.*-(?!runtime)|titan|nova|jamba|invoke/, { dialect: "bedrock-invoke" }],
  [/bedrock/, BEDROCK],
  [/anthropic|claude/, { dialect: "anthropic-messages" }],
  [/(?:gemini|vertex|google).*live|live.*(?:gemini|vertex|google)/, { dialect: "gemini-live" }],
  [/gemini|vertex|generatecontent/, { dialect: "gemini" }],
  [/realtime/, { dialect: "openai-realtime" }],
  [/embed/, { dialect: "openai-embeddings" }],
  [/image|dall-e/, { dialect: "openai-images" }],
  [/whisper|speech|transcri|translat|audio/, { dialect: "openai-audio" }],
  [/response/, { dialect: "openai-responses" }],
  [/chat|mistral|github-models/, { dialect: "openai-chat" }],
  [/completion/, { dialect: "openai-completions" }],
  [/azure|foundry|openai/, OPENAI],
];

/** @returns null when nobody is called so */
export function namedDialect(said: string): Named | null {
  const name = said
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, "-")
    .replace(/^-|-$/g, "");
  return named(name) ?? WORDS.find(([words]) => words.test(name))?.[1] ?? null;
}

function named(name: string): Named | null {
  const found = PROVIDERS[name] ?? BY_NAME.get(name);
  if (found !== undefined) return found;
  for (const extra of [BEFORE, BEHIND]) {
    const shorter = name.replace(extra, "");
    const meant = shorter === name ? null : named(shorter);
    if (meant !== null) return meant;
  }
  return null;
}
