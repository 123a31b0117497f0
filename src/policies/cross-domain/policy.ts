import { XmlMistake, readXmlEvents } from "../../base/xml-events.ts";
import { HeaderList } from "../../base/headers.ts";
import { Body } from "../../gateway/body.ts";
import { ResponseMessage } from "../../gateway/message.ts";
import { POLICY_FILE } from "../../gateway/policy-file.ts";
import { definePolicy } from "../../gateway/policy.ts";

const MOST_DEPTH = 16;

/** Serves Adobe's cross-domain policy file to Flash and Silverlight clients: `GET /crossdomain.xml`. */
export const crossDomain = definePolicy({
  element: "cross-domain",
  summary: "Answers GET /crossdomain.xml with the policy file inside.",
  sections: ["inbound"],
  scopes: ["global", "workspace", "api"],
  shape: { text: { type: "body", doc: "A cross-domain-policy document, or what stands inside one." } },
  check: ({ text }, report) => {
    const mistake = mistakeOf(documentOf(text));
    if (mistake !== null) report(`the policy file is not well-formed: ${mistake}`);
  },
  prepare: ({ text }) => {
    const bytes = Buffer.from(documentOf(text));
    return ({ request }) => {
      const isAsked = request.originalUrl.path.toLowerCase() === POLICY_FILE;
      if (!isAsked || (request.method !== "GET" && request.method !== "HEAD")) return;
      return new ResponseMessage(
        200,
        "",
        new HeaderList(["Content-Type", "text/x-cross-domain-policy"]),
        Body.of("response", bytes),
      );
    };
  },
});

const HEAD = '<?xml version="1.0"?>\n';

function documentOf(text: string | Uint8Array | null | undefined): string {
  const inside = String(text ?? "").trim();
  const isWhole = /^(?:<!--[\s\S]*?-->\s*)*<cross-domain-policy[\s/>]/.test(inside);
  return HEAD + (isWhole ? inside : `<cross-domain-policy>${inside}</cross-domain-policy>`);
}

function mistakeOf(document: string): string | null {
  try {
    readXmlEvents(document, MOST_DEPTH, { open: () => {}, close: () => {}, text: () => {} });
    return null;
  } catch (error) {
    if (error instanceof XmlMistake) return error.message;
    throw error;
  }
}
