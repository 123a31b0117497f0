/**
 * Key and certificate of `headgate up`, and their successors: whoever renews certificates writes the files anew, and
 * connections to come get the new one without a restart. Files are read again and again, not listened to: mounted secrets
 * change by a link that no listener sees, and a change between reading and listening would be missed.
 */
import { readFileSync } from "node:fs";
import type { Settings } from "../settings.ts";
import type { StartOptions, StartedGateway } from "./application.ts";

type Files = Pick<Settings, "tlsKeyFile" | "tlsCertFile" | "tlsClientCertificates">;

const EVERY_MS = 5000;

/** @throws what `readFileSync` says */
export function readTls(settings: Files): StartOptions["tls"] {
  if (settings.tlsKeyFile === null || settings.tlsCertFile === null) return null;
  return {
    key: readFileSync(settings.tlsKeyFile, "utf8"),
    cert: readFileSync(settings.tlsCertFile, "utf8"),
    requestClientCertificate: settings.tlsClientCertificates,
  };
}

/**
 * Hands new ones to the gateway. Files that do not fit together, as while only one of them has been written, change nothing;
 * that is said once.
 *
 * @param say   a line for the operator
 * @returns ends it
 */
export function followTls(
  settings: Files,
  gateway: Pick<StartedGateway, "setTls">,
  say: (line: string) => void,
  everyMs = EVERY_MS,
): () => void {
  if (settings.tlsKeyFile === null || settings.tlsCertFile === null) return () => {};
  let last = textOf(settings);
  let complaint = "";
  const look = (): void => {
    try {
      const now = textOf(settings);
      if (now === last) return;
      gateway.setTls(readTls(settings)!);
      last = now;
      complaint = "";
      say("the TLS certificate was renewed");
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      if (reason !== complaint) say(`the TLS certificate cannot be renewed yet: ${reason}`);
      complaint = reason;
    }
  };
  const timer = setInterval(look, everyMs).unref();
  return () => clearInterval(timer);
}

function textOf(settings: Files): string {
  const tls = readTls(settings);
  return tls === null ? "" : `${tls.key}\n${tls.cert}`;
}
