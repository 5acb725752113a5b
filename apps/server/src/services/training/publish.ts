// What happens to a finished detector: into the store, into MLflow as a version, through the gate, to those who watch.
import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import path from "node:path";
import type { GateFigures, JobResult, Promotion } from "@mlsec/contracts";
import type * as z from "zod";
import type { ObjectStore } from "../../platform/storage/object-store.ts";
import { describeError } from "../../platform/telemetry/log.ts";
import { type MoveParts, moveChampion } from "./champion.ts";
import { type ChildResult, type ChildSpec, outFolder } from "./child/messages.ts";
import { storeFolder } from "./files.ts";
import { registeredName } from "./names.ts";
import { thinned } from "./progress.ts";
import { decidePromotion } from "./promotion.ts";
import type { JobRow } from "./store.ts";

export interface PublishParts extends MoveParts {
  readonly storage: ObjectStore;
  readonly bucket: string;
}
export interface Finished {
  readonly job: JobRow;
  readonly runId: string;
  readonly folder: string;
  readonly spec: ChildSpec;
  readonly result: ChildResult;
  readonly say: (message: string) => Promise<void>;
}

/** Safe to repeat: a job that was cut short in here finds its version and goes on. */
export async function publish(
  parts: PublishParts,
  finished: Finished,
  signal: AbortSignal,
): Promise<z.infer<typeof JobResult>> {
  const { job, runId, folder, spec, result, say } = finished;
  const { registry, storage, clock } = parts;
  const detector = path.join(folder, outFolder);
  const source = await placeOf(parts, job, runId);
  await storeFolder(storage, detector, source, signal);
  await say(`artefacts stored under ${source}`);
  const metrics = metricsOf(result);
  const points = Object.entries(metrics).map(([key, value]) => ({ key, value, step: result.losses.length }));
  const curve = thinned(result.losses.map((loss, i) => [i + 1, loss])).map(([step, value]) => ({
    key: "loss",
    value,
    step,
  }));
  await registry.logMetrics(runId, [...points, ...curve], clock().getTime());
  // From here on a version exists: it is completed whatever is asked for meanwhile.
  signal.throwIfAborted();
  const version = await registry.addVersion({
    name: job.model_name,
    source,
    runId,
    description: `trained on ${spec.data.uri} by job ${job.job_id}`,
    tags: {
      ...versionTags(metrics),
      "mlsec.sha256": await sha256(path.join(detector, "detector.json")),
      "mlsec.kind": spec.kind,
      "mlsec.job_id": job.job_id,
      "mlsec.data": spec.data.uri,
      ...(spec.base === undefined ? {} : { "mlsec.base": spec.base }),
    },
  });
  const number = String(version.version);
  await say(`registered as ${registeredName(job.model_name)}/${number}`);
  const promotion = await settle(parts, finished, number);
  await say(`promotion: ${promotion.decision}, ${promotion.reason}`);
  await registry.tagRun(runId, { "mlsec.decision": promotion.decision, "mlsec.version": number });
  await registry.endRun(runId, "FINISHED", clock().getTime());
  await tellAnalytics(parts, finished, number, metrics);
  return {
    mlflow_model_uri: `models:/${registeredName(job.model_name)}/${number}`,
    model_version: number,
    run_id: runId,
    metrics,
    scorecard: { ...result.scorecard },
    promotion,
  };
}

/** Beside the run's other artifacts when those lie in a store like ours. */
async function placeOf({ registry, bucket }: PublishParts, job: JobRow, runId: string): Promise<string> {
  const uri = await registry.artifactUri(runId);
  return uri?.startsWith("s3://")
    ? `${uri.replace(/\/$/, "")}/detector`
    : `s3://${bucket}/models/${job.model_name}/${runId}/detector`;
}

/** The gate and what follows from it. The champion may have moved while the job ran: then its figures decide nothing. */
async function settle(parts: PublishParts, { job, spec, result }: Finished, version: string): Promise<Promotion> {
  const { registry } = parts;
  const candidate: GateFigures = { version, ...result.candidate };
  const measured: GateFigures | undefined =
    spec.champion && result.champion ? { version: spec.champion.version, ...result.champion } : undefined;
  const { champion: current } = await registry.aliases(job.model_name);
  const isSettled = current === version;
  const hasMoved = !isSettled && current !== spec.champion?.version;
  const decided = decidePromotion(job.promote, candidate, measured);
  const outcome: Pick<Promotion, "decision" | "reason"> =
    hasMoved && (decided.decision === "promoted" || decided.decision === "first_champion") && job.promote !== "force"
      ? {
          decision: "kept",
          reason: `the champion became version ${current} while this job ran, so the comparison does not count; POST /models/${job.model_name}/promote decides by hand`,
        }
      : decided;
  const isChampion = outcome.decision === "promoted" || outcome.decision === "first_champion";
  if (!isSettled) {
    await registry.setAlias(job.model_name, "candidate", version);
    if (isChampion)
      await moveChampion(parts, {
        name: job.model_name,
        version,
        reason: outcome.reason,
        principal: `job:${job.job_id}`,
      });
  }
  return { ...outcome, suite: result.suite, champion: measured ?? null, candidate };
}

interface Point {
  readonly value: number;
}
const valueOf = (scorecard: Readonly<Record<string, unknown>>, key: string): number | undefined => {
  const value = (scorecard[key] as Point | number | null | undefined) ?? undefined;
  return typeof value === "number" ? value : value?.value;
};

/** Figures on the rows held out, and those on the suite. */
export function heldOutMetrics(scorecard: Readonly<Record<string, unknown>>): Record<string, number> {
  const recall = valueOf(scorecard, "detectionRate");
  const fpr = valueOf(scorecard, "falsePositiveRate");
  const caught = (recall ?? 0) * Number(scorecard["attacks"] ?? 0);
  const raised = (fpr ?? 0) * Number(scorecard["benign"] ?? 0);
  const found = {
    accuracy: valueOf(scorecard, "accuracy"),
    f1_score: valueOf(scorecard, "macroF1"),
    precision: caught + raised > 0 ? caught / (caught + raised) : undefined,
    recall,
    false_positive_rate: fpr,
    roc_auc: valueOf(scorecard, "rocAuc"),
    ece: valueOf(scorecard, "ece"),
    threshold: valueOf(scorecard, "threshold"),
  };
  return Object.fromEntries(
    Object.entries(found).filter((entry): entry is [string, number] => Number.isFinite(entry[1])),
  );
}

function metricsOf({ scorecard, candidate, losses }: ChildResult): Record<string, number> {
  const { recall, false_positive_rate, macro_f1, accuracy, roc_auc } = candidate;
  const last = losses.at(-1);
  return {
    ...heldOutMetrics(scorecard),
    suite_recall: recall,
    suite_false_positive_rate: false_positive_rate,
    suite_f1_score: macro_f1,
    suite_accuracy: accuracy,
    ...(roc_auc === null ? {} : { suite_roc_auc: roc_auc }),
    ...(last === undefined ? {} : { final_loss: last }),
  };
}

/** What the registry's views show of a version. */
export const versionTags = (metrics: Readonly<Record<string, number>>): Record<string, string> =>
  Object.fromEntries(
    ["f1_score", "accuracy", "threshold", "recall", "false_positive_rate"].flatMap((key) =>
      metrics[key] === undefined ? [] : [[`mlsec.${key}`, String(metrics[key])]],
    ),
  );

export async function sha256(file: string): Promise<string> {
  return createHash("sha256")
    .update(await readFile(file))
    .digest("hex");
}

async function tellAnalytics(
  { clients, log }: PublishParts,
  { job, runId, spec }: Finished,
  version: string,
  metrics: Readonly<Record<string, number>>,
): Promise<void> {
  const { accuracy = 0, precision = 0, recall = 0, f1_score = 0, roc_auc, false_positive_rate, threshold } = metrics;
  const body = {
    model_name: job.model_name,
    model_version: version,
    accuracy,
    precision,
    recall,
    f1_score,
    ...(roc_auc === undefined ? {} : { roc_auc }),
    ...(false_positive_rate === undefined ? {} : { false_positive_rate }),
    ...(threshold === undefined ? {} : { threshold }),
    dataset: spec.data.uri.slice(0, 500),
    run_id: runId,
  };
  await clients.analytics.storePerformance({ body }).catch((error: unknown) => {
    log.warn({ jobId: job.job_id, error: describeError(error) }, "Analytics did not store the version's figures");
  });
}
