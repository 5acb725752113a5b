/**
 * What a newcomer meets: time to the first table, time of later starts, idle memory with PostgreSQL, latency of a verdict.
 * Command: npm run bench -- first-run. No other tool of the field starts all of this, so the bars are the project's own
 * targets: first start ≤ 4 s, later ≤ 2 s, idle ≤ 500 MB (PSS), p50 ≤ 10 ms for a text of 24 tokens at one client.
 */
import { setTimeout as wait } from "node:timers/promises";
import {
  emptyFolder,
  machine,
  memoryOfTree,
  percentile,
  removeFolder,
  shortTexts,
  startSystem,
  verdictLatencies,
} from "./measure.ts";

console.log(machine("npm run bench -- first-run"));
const dataDir = emptyFolder();
const starts: number[] = [];
try {
  const first = await startSystem(dataDir);
  console.log(
    `first start  ${(first.readyMs / 1000).toFixed(2)} s (empty data folder; install and dashboard build excluded)`,
  );
  await wait(8000);
  const idle = memoryOfTree(first.pid) / 1024 ** 2;
  console.log(`idle memory  ${idle.toFixed(0)} MB PSS, PostgreSQL included`);
  await verdictLatencies(first.url("model-api"), shortTexts(100));
  const latencies = await verdictLatencies(first.url("model-api"), shortTexts(500, 100));
  const [p50, p99] = [percentile(latencies, 0.5), percentile(latencies, 0.99)];
  console.log(
    `verdict      p50 ${p50.toFixed(2)} ms, p99 ${p99.toFixed(2)} ms (24 tokens, one client, every text new)`,
  );
  const linear = await verdictLatencies(first.url("model-api"), shortTexts(500, 1000), "linear");
  console.log(
    `linear       p50 ${percentile(linear, 0.5).toFixed(2)} ms, p99 ${percentile(linear, 0.99).toFixed(2)} ms`,
  );
  await first.stop();
  for (let i = 0; i < 5; i++) {
    const later = await startSystem(dataDir);
    starts.push(later.readyMs);
    await later.stop();
  }
  const laterMs = percentile(starts, 0.5);
  console.log(`later starts ${(laterMs / 1000).toFixed(2)} s (median of ${starts.length})`);
  const figures = {
    first_start_s: first.readyMs / 1000,
    later_start_s: laterMs / 1000,
    idle_mb: idle,
    verdict_p50_ms: p50,
    verdict_p99_ms: p99,
  };
  const targets = { first_start_s: 4, later_start_s: 2, idle_mb: 500, verdict_p50_ms: 10 };
  const met = Object.entries(targets).every(([name, target]) => figures[name as keyof typeof targets] <= target);
  console.log(JSON.stringify({ bench: "first-run", ...figures, targets, met, ratio: targets.verdict_p50_ms / p50 }));
} finally {
  removeFolder(dataDir);
}
