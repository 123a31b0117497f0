/** The gateway that runs on this machine, as commands reach it: through its local listener (`gateway/door.ts`). */
import { type LocalAccess, readLocalAccess } from "../base/local-access.ts";
import type { Application } from "./application.ts";

const LARGEST_ANSWER = 16 * 1024 * 1024;

/** @returns null when none runs on the data folder, which has been said then */
export function findLocalGateway(application: Application, dataDir: string | undefined): LocalAccess | null {
  const settings = application.readSettings({ data: dataDir }, application.environment);
  const access = readLocalAccess(settings.dataDir);
  if (access === null) {
    application.stderr.write(
      `error: no gateway runs on the data folder ${settings.dataDir} (start one with \`headgate up\`, or say --data-dir)\n`,
    );
  }
  return access;
}

/** The local listener's refusal. */
export class DoorRefusal extends Error {
  readonly status: number;
  constructor(status: number, text: string) {
    super(reasonIn(text) ?? `the gateway's local listener answered ${status}: ${text.slice(0, 300)}`);
    this.status = status;
  }
}

/** The listener's own words for what it did not like. */
function reasonIn(text: string): string | null {
  try {
    const { error } = JSON.parse(text) as { error?: { message?: unknown } };
    return typeof error?.message === "string" && error.message !== "" ? error.message : null;
  } catch {
    return null;
  }
}

/**
 * @param path as the door knows it: `/gateways/managed/listTrace`
 * @throws DoorRefusal; an Error that says so when nobody listens any more
 */
export async function askLocalGateway(
  application: Application,
  access: LocalAccess,
  path: string,
  body: object,
): Promise<unknown> {
  const request = {
    method: "POST",
    url: `${access.local}${path}`,
    rawHeaders: ["Authorization", `Bearer ${access.secret}`, "Content-Type", "application/json"],
    body: Buffer.from(JSON.stringify(body)),
    insecure: false,
    limitBytes: LARGEST_ANSWER,
  };
  const answer = await application.request(request).catch((cause: unknown) => {
    // Who was killed has left its file behind.
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new Error(
      `the gateway ${access.gateway} (process ${access.pid}) does not answer: ${why}; start one with \`headgate up\``,
      { cause },
    );
  });
  const text = new TextDecoder().decode(answer.body);
  if (answer.status !== 200) throw new DoorRefusal(answer.status, text);
  return JSON.parse(text);
}
