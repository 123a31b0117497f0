/**
 * Who judges texts for `llm-content-safety`: Azure AI Content Safety, the gateway's own detectors, or whatever speaks the
 * documented HTTP contract. One interface for all (`ai-policies.md` §4.4).
 */

export type OutputType = "FourSeverityLevels" | "EightSeverityLevels";

export interface AnalyzeQuestion {
  /** At most as long as `Guard.mostCharacters`. */
  readonly text: string;
  /** `Hate`, `SelfHarm`, `Sexual`, `Violence`, or others that the service knows; empty: none. */
  readonly categories: readonly string[];
  readonly blocklists: readonly string[];
  readonly outputType: OutputType;
}

export interface Analysis {
  readonly severities: readonly { readonly category: string; readonly severity: number }[];
  readonly blocklistMatches: readonly { readonly blocklist: string; readonly item: string }[];
}

export interface ShieldQuestion {
  readonly userPrompt: string;
  /** Tool results and retrieved texts. */
  readonly documents: readonly string[];
}

export interface ShieldVerdict {
  readonly userPromptAttack: boolean;
  /** One per document. */
  readonly documentAttacks: readonly boolean[];
}

export interface Guard {
  /** UTF-16 units that one question may have. */
  readonly mostCharacters: number;
  /** @throws GuardUnavailable when there is no usable answer in time */
  analyze(question: AnalyzeQuestion): Promise<Analysis>;
  /** @throws GuardUnavailable */
  shield(question: ShieldQuestion): Promise<ShieldVerdict>;
}

/** The service did not judge: what then is the policy's decision (`on-error`). */
export class GuardUnavailable extends Error {}
