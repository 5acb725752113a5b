// The picture of the system that the dashboard shows: asked from each service, each in its own time.
import type { LivePicture, SystemHealth } from "@mlsec/contracts";
import type { ServiceContext } from "../../platform/service.ts";

const askMs = 2500;
const mostJobs = 10;
type Needs = Pick<ServiceContext, "clients" | "clock" | "live">;

/** What a service does not say in time is left out of the picture. */
export async function takePicture({ clients, clock, live }: Needs): Promise<LivePicture> {
  const signal = AbortSignal.timeout(askMs);
  const [health, verdicts, jobs, tests] = await Promise.all([
    clients.analytics.systemHealth({ signal }).catch(() => ownHealth({ clock, live })),
    clients["model-api"].stats({ signal }).catch(() => null),
    currentJobs(clients, signal).catch(() => []),
    currentTests(clients, signal).catch(() => []),
  ]);
  return { at: clock().toISOString(), health, verdicts, jobs, tests };
}

async function currentJobs({ training }: Needs["clients"], signal: AbortSignal): Promise<LivePicture["jobs"]> {
  const ask = (query: object) => training.listJobs({ query: { limit: mostJobs, ...query }, signal });
  const [running, queued, newest] = await Promise.all([ask({ status: "running" }), ask({ status: "queued" }), ask({})]);
  const open = [...running.jobs, ...queued.jobs];
  const ended = newest.jobs.filter(({ status }) => status !== "running" && status !== "queued");
  return [...open, ...ended].slice(0, mostJobs);
}

async function currentTests(clients: Needs["clients"], signal: AbortSignal): Promise<LivePicture["tests"]> {
  const api = clients["red-team"];
  const [{ running }, { results }] = await Promise.all([
    api.statusAll({ signal }),
    api.results({ query: { limit: 10 }, signal }),
  ]);
  const ended = results.find(({ status }) => status !== "running");
  return ended ? [...running, ended] : running;
}

/** Without analytics: what this process knows of itself. */
function ownHealth({ clock, live }: Pick<Needs, "clock" | "live">): SystemHealth {
  const checked_at = clock().toISOString();
  const states = live.services().filter(({ state }) => state !== "elsewhere");
  return {
    overall: "degraded",
    services: states.map(({ name, state, detail, url }) => ({
      name,
      kind: "service",
      status: state === "ready" ? "healthy" : state === "starting" ? "degraded" : "down",
      latency_ms: null,
      checked_at,
      detail: detail ?? "not probed: analytics does not answer",
      address: url,
    })),
  };
}
