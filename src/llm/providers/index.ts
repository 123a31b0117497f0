/**
 * Every dialect, one line each. Whoever is recognised first has it: of two whose bodies look alike, the one that is more
 * particular stands first.
 */
import type { Dialect } from "../dialect.ts";
import { anthropicMessages } from "./anthropic/messages.ts";
import { bedrockConverse } from "./bedrock/converse.ts";
import { bedrockInvoke, bedrockInvokeEmbeddings, bedrockInvokeImages } from "./bedrock/invoke.ts";
import { gemini, geminiEmbeddings, geminiImages } from "./gemini/gemini.ts";
import { geminiInteractions } from "./gemini/interactions.ts";
import { geminiLive } from "./gemini/live.ts";
import * as openai from "./openai/index.ts";

export const DIALECTS: readonly Dialect[] = [
  anthropicMessages,
  openai.openaiChat,
  openai.openaiEmbeddings,
  openai.openaiResponses,
  openai.openaiImages,
  openai.openaiCompletions,
  openai.openaiAudio,
  openai.openaiSpeech,
  openai.openaiRealtime,
  gemini,
  geminiLive,
  geminiEmbeddings,
  geminiImages,
  geminiInteractions,
  bedrockConverse,
  bedrockInvoke,
  bedrockInvokeEmbeddings,
  bedrockInvokeImages,
];
