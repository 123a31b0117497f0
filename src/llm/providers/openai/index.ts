/** The dialects of OpenAI, of Azure OpenAI, and of everybody who speaks like them. */
export { openaiAudio, openaiSpeech } from "./audio.ts";
export { openaiChat } from "./chat.ts";
export { openaiCompletions } from "./completions.ts";
export { openaiEmbeddings } from "./embeddings.ts";
export { openaiImages } from "./images.ts";
export { openaiRealtime } from "./realtime.ts";
export { openaiResponses } from "./responses.ts";
