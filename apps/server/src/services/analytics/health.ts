// Probes of every service and of what they stand on. One probe serves all who ask within two seconds.
import fs from "node:fs/promises";
import path from "node:path";
import { Ready, type ServiceName, serviceNames, services, type SystemHealth } from "@mlsec/contracts";
import type { ServiceContext } from "../../platform/service.ts";

type Health = SystemHealth["services"][number];
type Outcome = Pick<Health, "status" | "detail">;
type Needs = Pick<ServiceContext, "clients" | "clock" | "config" | "db" | "live" | "storage">;

const probeTimeoutMs = 1500;
const freshMs = 2000;
const gibibyte = 2 ** 30;

/** The current health; concurrent callers share one round of probes. */
export function createHealth(context: Needs): () => Promise<SystemHealth> {
  let round: { at: number; health: Promise<SystemHealth> } | undefined;
  return () => {
    const now = context.clock().getTime();
    if (!round || now - round.at >= freshMs || now < round.at) round = { at: now, health: probeAll(context) };
    return round.health;
  };
}

async function probeAll(context: Needs): Promise<SystemHealth> {
  const found = await Promise.all([
    ...serviceNames.map((name) => probeService(context, name)),
    ...dependencies(context).map(([name, address, check]) =>
      timed(context, { name, kind: "dependency", address }, check),
    ),
  ]);
  const vital = found.filter(({ name }) => name === "model-api" || name === "database");
  const isDown = vital.some(({ status }) => status === "down");
  const overall = isDown ? "down" : found.every(({ status }) => status === "healthy") ? "healthy" : "degraded";
  return { overall, services: found };
}

function probeService(context: Needs, name: ServiceName): Promise<Health> {
  const state = context.live.services().find((service) => service.name === name);
  const address = context.config.addresses[name] ?? state?.url ?? `http://localhost:${context.config.ports[name]}`;
  const about = { name, kind: "service", address } as const;
  if (state?.state === "off")
    return timed(context, about, async () => ({ status: "down", detail: state.detail ?? "not running" }));
  return timed(context, about, async (signal) => {
    const response = await context.clients.fetch(name, probePath(context, name), { signal });
    const ready = Ready.safeParse(await response.json().catch(() => undefined));
    if (!ready.success)
      return {
        status: response.ok ? "healthy" : "down",
        detail: response.ok ? "answers" : `answers ${response.status}`,
      };
    const failing = Object.entries(ready.data.checks).filter(([, check]) => check.status === "down");
    const why = failing.map(([check, { detail }]) => (detail ? `${check}: ${detail}` : check)).join("; ");
    return ready.data.ready
      ? { status: "healthy", detail: services[name].summary }
      : { status: "degraded", detail: why || "not ready yet" };
  });
}

/** Foreign servers have their own words for it. */
function probePath({ config }: Needs, name: ServiceName): string {
  if (name === "object-storage") return "/minio/health/ready";
  return name === "mlflow" && config.mlflow.trackingUri !== undefined ? "/health" : "/ready";
}

function dependencies(context: Needs): [string, string | null, (signal: AbortSignal) => Promise<Outcome>][] {
  const { config, db, storage } = context;
  return [
    [
      "database",
      config.postgres ? `${config.postgres.host}:${config.postgres.port}` : null,
      async () => {
        await db.one("select 1");
        return { status: "healthy", detail: config.postgres ? "PostgreSQL" : "embedded PostgreSQL" };
      },
    ],
    [
      "object-store",
      config.storage.endpoint ?? null,
      async () => {
        const buckets = await storage.buckets();
        return { status: "healthy", detail: `${buckets.length} bucket${buckets.length === 1 ? "" : "s"}` };
      },
    ],
    ["disk", null, () => diskSpace(config.dataDir)],
  ];
}

async function diskSpace(folder: string): Promise<Outcome> {
  let at = folder;
  while (!(await fs.stat(at).catch(() => undefined)) && path.dirname(at) !== at) at = path.dirname(at);
  const { bavail, blocks, bsize } = await fs.statfs(at);
  const free = bavail * bsize;
  const detail = `${(free / gibibyte).toFixed(1)} of ${((blocks * bsize) / gibibyte).toFixed(1)} GiB free`;
  return { status: free < gibibyte / 8 ? "down" : free < gibibyte ? "degraded" : "healthy", detail };
}

async function timed(
  { clock }: Needs,
  about: Pick<Health, "name" | "kind" | "address">,
  probe: (signal: AbortSignal) => Promise<Outcome>,
): Promise<Health> {
  const signal = AbortSignal.timeout(probeTimeoutMs);
  const { promise: late, reject } = Promise.withResolvers<never>();
  const onLate = (): void => reject(signal.reason);
  signal.addEventListener("abort", onLate, { once: true });
  const started = performance.now();
  try {
    const outcome = await Promise.race([probe(signal), late]);
    const latency = Math.round((performance.now() - started) * 100) / 100;
    return { ...about, ...outcome, latency_ms: latency, checked_at: clock().toISOString() };
  } catch {
    const detail = signal.aborted ? `no answer within ${probeTimeoutMs} ms` : "does not answer";
    return { ...about, status: "down", detail, latency_ms: null, checked_at: clock().toISOString() };
  } finally {
    signal.removeEventListener("abort", onLate);
  }
}
