// Business Metrics (8004): key figures, all of them from records that other services keep, asked through their clients.
import { businessMetrics } from "@mlsec/contracts";
import { defineService, type ServiceContext } from "../../platform/service.ts";

const dayMs = 86_400_000;
const jobsPerPage = 500;
const mostPages = 20;

export const service = defineService({
  name: "business-metrics",
  contract: businessMetrics,
  async create(context) {
    return {
      handlers: {
        kpis: ({ query, context: { signal } }) => keyFigures(context, query.days, signal),
        daily: async ({ query, context: { signal } }) => {
          const { daily } = await context.clients["model-api"].history({ query, signal });
          return { daily: everyDay(daily, query.days, context.clock()), next_cursor: null };
        },
      },
      ready: async () => ({ ready: true, checks: {} }),
    };
  },
});

/** All or nothing: a key figure that leaves a source out would look like a small one. */
async function keyFigures({ clients, clock }: ServiceContext, days: number, signal: AbortSignal) {
  const now = clock();
  const since = new Date(now.getTime() - days * dayMs);
  const [history, summary, completed, failed] = await Promise.all([
    clients["model-api"].history({ query: { days }, signal }),
    clients.analytics.summary({ query: { days }, signal }),
    countJobs(clients, { status: "completed", since, signal }),
    countJobs(clients, { status: "failed", since, signal }),
  ]);
  const verdicts = history.daily.reduce((sum, day) => sum + day.verdicts, 0);
  const attacks = history.daily.reduce((sum, day) => sum + day.attacks, 0);
  return {
    days,
    verdicts,
    attacks_flagged: attacks,
    attack_share: verdicts === 0 ? null : attacks / verdicts,
    feedback: history.feedback,
    verdict_latency_ms: history.latency_ms,
    tests: summary.total_tests,
    training_jobs: { completed, failed },
    generated_at: now.toISOString(),
  };
}

interface JobsAsked {
  readonly status: "completed" | "failed";
  readonly since: Date;
  readonly signal: AbortSignal;
}

/** Jobs begun since then; the list is newest first. */
async function countJobs(
  { training }: ServiceContext["clients"],
  { status, since, signal }: JobsAsked,
): Promise<number> {
  let count = 0;
  let cursor: string | undefined;
  for (let page = 0; page < mostPages; page++) {
    const query = { status, limit: jobsPerPage, ...(cursor === undefined ? {} : { cursor }) };
    const { jobs, next_cursor } = await training.listJobs({ query, signal });
    const recent = jobs.filter(({ created_at }) => new Date(created_at) >= since).length;
    count += recent;
    if (next_cursor === null || recent < jobs.length) break;
    cursor = next_cursor;
  }
  return count;
}

/** Days without a verdict are zeros, not gaps. */
function everyDay(daily: readonly { date: string; verdicts: number; attacks: number }[], days: number, now: Date) {
  const found = new Map(daily.map((day) => [day.date, day]));
  return Array.from({ length: days + 1 }, (_, i) => {
    const date = new Date(now.getTime() - (days - i) * dayMs).toISOString().slice(0, 10);
    const day = found.get(date);
    return { date, verdicts: day?.verdicts ?? 0, attacks_flagged: day?.attacks ?? 0 };
  });
}
