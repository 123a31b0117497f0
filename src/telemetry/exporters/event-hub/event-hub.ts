/**
 * Events to an Azure Event Hub over its HTTPS interface ("Send event", "Send batch events"). The other interface, AMQP, is
 * not spoken here: HTTPS reaches every hub, passes every firewall, and one request carries up to 256 events.
 *
 * A single event travels as it is; several travel together as JSON, when they are for the same partition.
 */
import { Abort } from "../../../base/abort.ts";
import { asciiJson } from "../../../base/ascii-json.ts";
import { Delivery, type Sent } from "../../delivery.ts";
import type { EventHubLogger, Exporter, ExporterWorld, HubEvent } from "../../logger.ts";
import { SasSigner, authorityOf } from "../../sas.ts";

const RESOURCE = "https://eventhubs.azure.net";
const API_VERSION = "2014-01";
const TIMEOUT_MS = 30_000;
/** Of a request's body; the service takes 256 KB from the smallest tier on. */
const LARGEST_BATCH = 240 * 1024;
/** What an event costs in memory besides its text. */
const OVERHEAD_BYTES = 200;
const SINGLE = "application/atom+xml;type=entry;charset=utf-8";
const BATCH = "application/vnd.microsoft.servicebus.json";

export function createEventHubExporter(logger: EventHubLogger, world: ExporterWorld): Exporter<HubEvent> {
  const { place, hub, credential } = logger;
  const signer = credential.kind === "identity" ? null : new SasSigner(place, hub, credential);

  async function authorization(): Promise<string> {
    if (signer !== null) return signer.authorization(world.clock.now());
    const { clientId } = credential as { clientId: string | null };
    return `Bearer ${await world.azureToken(RESOURCE, clientId)}`;
  }

  async function send(events: readonly HubEvent[]): Promise<Sent> {
    const first = events[0]!;
    const path =
      first.partitionId === null
        ? `/${hub}/messages`
        : `/${hub}/partitions/${encodeURIComponent(first.partitionId)}/messages`;
    const rawHeaders = ["Host", authorityOf(place), "Authorization", await authorization()];
    rawHeaders.push("Content-Type", events.length === 1 ? SINGLE : BATCH);
    if (first.partitionKey !== null)
      rawHeaders.push("BrokerProperties", asciiJson({ PartitionKey: first.partitionKey }));
    const body =
      events.length === 1 ? first.body : JSON.stringify(events.map((event) => ({ Body: event.body })));
    const abort = new Abort();
    const stop = world.clock.after(TIMEOUT_MS, () => abort.abort("deadline"));
    try {
      const answer = await world.client.send({
        method: "POST",
        ...place,
        target: `${path}?timeout=20&api-version=${API_VERSION}`,
        rawHeaders,
        body: new TextEncoder().encode(body),
        abort,
      });
      answer.body?.cancel();
      return judge(answer.status);
    } finally {
      stop();
    }
  }

  const delivery = new Delivery<HubEvent>({
    name: `event hub ${hub} at ${place.host} (logger ${logger.id})`,
    send,
    batch: countTogether,
    clock: world.clock,
    random: world.random,
    report: world.report,
  });
  return {
    send: (event) => delivery.add(event, 2 * event.sizeBytes + OVERHEAD_BYTES),
    state: delivery,
    flush: () => delivery.flush(),
    close: () => delivery.close(),
  };
}

/** How many of the first go into one request: the same partition, and not too much in all. */
function countTogether(waiting: readonly HubEvent[]): number {
  const { partitionId, partitionKey } = waiting[0]!;
  let size = 0;
  let count = 0;
  for (const event of waiting) {
    if (event.partitionId !== partitionId || event.partitionKey !== partitionKey) break;
    // Quotes and control characters grow in JSON; six octets for each is the worst there is.
    size += JSON.stringify(event.body).length * (event.sizeBytes > event.body.length ? 3 : 1) + 12;
    if (count > 0 && size > LARGEST_BATCH) break;
    count++;
    if (size > LARGEST_BATCH) break;
  }
  return count;
}

/** 401, 403 and 404 may be mended at the other end, so they are tried again; a bad or too large request never is. */
function judge(status: number): Sent {
  if (status >= 200 && status < 300) return { kind: "done" };
  return { kind: status === 400 || status === 413 ? "refused" : "retry", why: `it answered ${status}` };
}
