// Analytics (8003): what tests and versions showed, and how the system is.
import { analytics, AppError, Reply } from "@mlsec/contracts";
import { defineService, type ServiceContext } from "../../platform/service.ts";
import { createHealth } from "./health.ts";
import { createStore, type Store, type VersionRow } from "./store.ts";

const summaryRows = 200;
const dayMs = 86_400_000;

export const service = defineService({
  name: "analytics",
  contract: analytics,
  async create(context) {
    const store = createStore(context.db);
    const health = createHealth(context);
    const from = (days: number | undefined): Date | null =>
      days === undefined ? null : new Date(context.clock().getTime() - days * dayMs);
    return {
      handlers: {
        async storeTest({ body }) {
          const now = context.clock();
          const { stored_at, isNew } = await store.storeTest(
            {
              ...body,
              model_name: canonicalName(body.model_name),
              requested_model: body.requested_model ?? body.model_name,
              created_at: body.created_at ?? now.toISOString(),
            },
            now,
          );
          if (isNew) context.live.publish("test-stored", { test_id: body.test_id });
          const message = isNew ? "stored" : "was stored before";
          const answer = { message, test_id: body.test_id, stored_at: stored_at.toISOString() };
          return new Reply(isNew ? 201 : 200, answer);
        },
        summary: ({ query }) => summary(store, from(query.days), query.days ?? null, context.clock()),
        trends: ({ query }) => trends(store, from(query.days)),
        comparison: ({ params }) => comparison(context, store, canonicalName(params.name)),
        async storePerformance({ body }) {
          const now = context.clock();
          const { model_name, model_version, ...figures } = body;
          await store.storePerformance(canonicalName(model_name), model_version, figures, now);
          return { message: "stored", stored_at: now.toISOString() };
        },
        performance: ({ params, query }) => performancePage(store, canonicalName(params.name), query),
        systemHealth: () => health(),
      },
      ready: async () => ({ ready: true, checks: { database: await databaseCheck(context) } }),
    };
  },
});

/** `security_distilbert`, `distilbert_trained` and `distilbert` are one model. */
const canonicalName = (name: string): string => name.replace(/^security_(?=.)/, "").replace(/(?<=.)_trained$/, "");

async function databaseCheck({ db }: ServiceContext): Promise<{ status: "ok" | "down"; detail?: string }> {
  return db.one("select 1").then(
    () => ({ status: "ok" as const }),
    () => ({ status: "down" as const, detail: "the database does not answer" }),
  );
}

async function summary(store: Store, from: Date | null, days: number | null, now: Date) {
  const [totals, models, newest] = await Promise.all([
    store.totals(from),
    store.models(from),
    store.newest(from, summaryRows),
  ]);
  return {
    total_tests: totals?.total_tests ?? 0,
    average_detection_rate: share(totals?.detection_rate ?? 0),
    average_false_positive_rate: shareOrNull(totals?.false_positive_rate ?? null),
    model_performance: Object.fromEntries(
      models.map(({ model_name, last_test, ...figures }) => [
        model_name,
        {
          ...figures,
          detection_rate: share(figures.detection_rate),
          false_positive_rate: shareOrNull(figures.false_positive_rate),
          last_test: last_test.toISOString(),
        },
      ]),
    ),
    summary: newest.map((row) => ({ ...row, created_at: row.created_at.toISOString() })),
    time_range: { from: from?.toISOString() ?? null, to: now.toISOString(), days },
  };
}

async function trends(store: Store, from: Date | null) {
  const rows = await store.trends(from);
  const tests = rows.reduce((sum, row) => sum + row.tests, 0);
  const attacks = rows.reduce((sum, row) => sum + row.attacks, 0);
  const detected = rows.reduce((sum, row) => sum + row.detection_rate * row.attacks, 0);
  return {
    trends: rows.map(({ attacks: _, ...row }) => ({
      ...row,
      detection_rate: share(row.detection_rate),
      false_positive_rate: shareOrNull(row.false_positive_rate),
    })),
    summary_stats: {
      days: new Set(rows.map((row) => row.date)).size,
      tests,
      attacks,
      average_detection_rate: attacks === 0 ? null : share(detected / attacks),
    },
  };
}

/** The served version against the one tested before it; without the registry, the two tested last. */
async function comparison({ clients }: ServiceContext, store: Store, name: string) {
  const tested = await store.versions(name);
  const served = await clients["model-api"].getModel({ params: { name } }).catch(() => undefined);
  const current = tested.find((row) => row.model_version === served?.version) ?? tested[0];
  const previous = tested.find((row) => row !== current);
  return { model_name: name, current: versionFigures(current), previous: versionFigures(previous) };
}

function versionFigures(row: VersionRow | undefined) {
  if (!row) return null;
  const figures = Object.entries(row.by_category)
    .filter(([, { attacks }]) => attacks > 0)
    .map(([category, { attacks, detected }]) => [
      category,
      { attacks, detected, detection_rate: share(detected / attacks) },
    ]);
  return { version: row.model_version, by_category: Object.fromEntries(figures) };
}

async function performancePage(store: Store, name: string, page: { limit: number; cursor?: string | undefined }) {
  if (page.cursor !== undefined && !/^\d{1,15}$/.test(page.cursor))
    throw new AppError("INVALID_INPUT", "cursor: expected the `next_cursor` of an earlier page", {
      errors: [{ field: "cursor", message: "expected the `next_cursor` of an earlier page" }],
    });
  const rows = await store.performance(name, page.cursor === undefined ? null : Number(page.cursor), page.limit);
  const shown = rows.slice(0, page.limit);
  return {
    performance: shown.map(({ figures, model_name, model_version, stored_at }) => ({
      ...(figures as { accuracy: number; precision: number; recall: number; f1_score: number }),
      model_name,
      model_version,
      stored_at: stored_at.toISOString(),
    })),
    next_cursor: rows.length > shown.length ? String(shown.at(-1)?.id) : null,
  };
}

/** Sums of floating point numbers may end a hair outside. */
const share = (value: number): number => Math.min(1, Math.max(0, value));
const shareOrNull = (value: number | null): number | null => (value === null ? null : share(value));
