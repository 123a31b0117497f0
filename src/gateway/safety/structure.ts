/** Which strings of a request or an answer are structure (ids, types, names of models) and which are words. */
import { textInBase64 } from "./raw-text.ts";

/** Members that no model reads and no person sees, as long as they look like identifiers. */
const STRUCTURE = new Set(
  `model type role object id status event index jsonrpc method kind format mime_type mimeType media_type mediaType
  finish_reason finishReason stop_reason stopReason native_finish_reason completionReason system_fingerprint service_tier
  created created_at createTime modelVersion responseId item_id call_id tool_call_id tool_use_id toolUseId callId
  previous_response_id conversation conversation_id contextId taskId messageId artifactId parent_id request_id
  signature thoughtSignature thought_signature encrypted_content obfuscation p detail effort encoding_format
  cache_control reasoning_effort verbosity truncation user safety_identifier prompt_cache_key provider
  anthropic_version anthropic-version protocolVersion anthropic_beta trafficType traffic_type code_interpreter_id
  container_id file_id vector_store_id x_groq stop_sequence tool_choice toolChoice function_calling_config
  redacted_thinking ttl voice language response_mime_type responseMimeType mode service user_id models version stop
  stop_sequences stopSequences modalities responseModalities response_modalities include acceptedOutputModes category
  probability severity blockReason action event_id response_id previous_item_id output_modalities
  input_audio_format output_audio_format max_output_tokens max_response_output_tokens eagerness modality
  voiceName languageCode newHandle timeLeft turnCompleteReason event_type interaction_id previous_interaction_id
  agent environment_id cached_content continuation_token thinking_level thinking_summaries`.split(/\s+/),
);

/** One word of letters, digits and punctuation, as identifiers, codes and signatures are. */
const IDENTIFIER = /^[\w.:/@+=,;~-]*$/;
const LONGEST_IDENTIFIER = 256;
/** These may be of any length. */
const OPAQUE = /^(?:signature|thought_?signature|encrypted_content|obfuscation|p)$/i;

/** @returns true when the string is no text */
export function isStructure(key: string, value: string): boolean {
  if (!STRUCTURE.has(key) || !IDENTIFIER.test(value)) return false;
  return value.length <= LONGEST_IDENTIFIER || OPAQUE.test(key);
}

/** Members that hold encoded media, or where it lies. */
const MEDIA = new Set(
  `data bytes b64_json bytesBase64Encoded bytes_base64_encoded image inputImage inputImageB64 partial_image_b64 file_data
  fileData url uri fileUri file_uri image_url audio video blob result gcs_uri gcsUri image_data`.split(/\s+/),
);
/** What is shorter is no picture. */
const SHORTEST_MEDIA = 64;

/**
 * @returns the text inside, when an encoding hides text; `null` for pictures, sounds and addresses; `undefined` when it is
 *   neither, and the string itself is the text
 */
export function mediaText(key: string, value: string): string | null | undefined {
  if (value.startsWith("data:")) return dataUrlText(value);
  if (!MEDIA.has(key)) return undefined;
  if (/^(?:https?|gs|s3|file):\/\/\S+$/i.test(value)) return null;
  if (!/^[A-Za-z0-9+/_-]+={0,2}\s*$/.test(value.slice(0, 4096))) return undefined;
  const text = textInBase64(value);
  if (value.length >= SHORTEST_MEDIA) return text;
  // So short, it may be a word as well.
  return text === null ? undefined : `${value}\n${text}`;
}

/** `data:text/plain,…`, `data:image/png;base64,…` */
function dataUrlText(value: string): string | null | undefined {
  const comma = value.indexOf(",");
  if (comma < 0 || comma > 256 || /\s/.test(value.slice(0, comma).replace(/;\s/g, ";"))) return undefined;
  const content = value.slice(comma + 1);
  if (/;\s*base64$/i.test(value.slice(0, comma))) return textInBase64(content);
  try {
    return decodeURIComponent(content);
  } catch {
    return content;
  }
}
