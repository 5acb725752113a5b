/**
 * What a running training job does to verdicts: latency of one client before and during a job.
 * Command: npm run bench -- verdicts-while-training. The peer is the same system without the job; the target is p99 ≤ 2×.
 */
import { setTimeout as wait } from "node:timers/promises";
import {
  emptyFolder,
  machine,
  percentile,
  removeFolder,
  shortTexts,
  startSystem,
  verdictLatencies,
} from "./measure.ts";

console.log(machine("npm run bench -- verdicts-while-training"));
const dataDir = emptyFolder();
try {
  const system = await startSystem(dataDir);
  const model = system.url("model-api");
  const training = system.url("training");
  await verdictLatencies(model, shortTexts(200));
  const alone = await verdictLatencies(model, shortTexts(1500, 200));
  const body = {
    model_name: "distilbert",
    training_data_path: "s3://ml-security/training_data/security_data.jsonl",
    config: { epochs: 3 },
  };
  const started = await fetch(`${training}/train`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
  });
  const { job_id } = (await started.json()) as { job_id: string };
  const job = async () =>
    (await (await fetch(`${training}/jobs/${job_id}`)).json()) as {
      status: string;
      step: number;
      error?: { detail: string };
    };
  for (let now = await job(); now.step < 5; now = await job()) {
    if (now.status === "failed") throw new Error(now.error?.detail);
    await wait(500);
  }
  const during = await verdictLatencies(model, shortTexts(1500, 3000));
  const after = await job();
  console.log(`job at step ${after.step}, ${after.status}`);
  await fetch(`${training}/jobs/${job_id}`, { method: "DELETE" });
  await system.stop();
  const row = (name: string, values: readonly number[]): void =>
    console.log(`${name}  p50 ${percentile(values, 0.5).toFixed(2)} ms, p99 ${percentile(values, 0.99).toFixed(2)} ms`);
  row("alone ", alone);
  row("during", during);
  const ratio = percentile(during, 0.99) / percentile(alone, 0.99);
  console.log(
    JSON.stringify({
      bench: "verdicts-while-training",
      p99_alone_ms: percentile(alone, 0.99),
      p99_during_ms: percentile(during, 0.99),
      ratio,
      target: 2,
      met: ratio <= 2,
    }),
  );
} finally {
  removeFolder(dataDir);
}
