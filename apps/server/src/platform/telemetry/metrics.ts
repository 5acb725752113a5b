// Prometheus metrics, one registry per service, so that ten services in one process stay apart.
import { Counter, Gauge, Histogram, Registry } from "prom-client";

export interface Metrics {
  counter(name: string, help: string, labels?: readonly string[]): Counter;
  gauge(name: string, help: string, labels?: readonly string[]): Gauge;
  /** Seconds unless the name says otherwise. */
  histogram(name: string, help: string, labels?: readonly string[], buckets?: readonly number[]): Histogram;
  /** Seconds spent in one stage of the work: `mlsec_stage_seconds{stage}`. */
  stage(stage: string, seconds: number): void;
  /** Seconds a piece of work waited before it began: `mlsec_queue_seconds{queue}`. */
  queued(queue: string, seconds: number): void;
  /** Items worked on together: `mlsec_batch_size{batch}`. */
  batch(batch: string, size: number): void;
  /** One answered request. */
  request(labels: { route: string; method: string; status: number }, seconds: number): void;
  /** The Prometheus text and its content type. */
  text(): Promise<{ body: string; contentType: string }>;
}

const seconds = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];
const sizes = [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1000];

/** Asking twice for one name gives the same metric. */
export function createMetrics(service: string): Metrics {
  const registry = new Registry();
  registry.setDefaultLabels({ service });
  const once = <T>(name: string, make: () => T): T => (registry.getSingleMetric(name) as T | undefined) ?? make();
  const common = { registers: [registry] };
  const metrics: Omit<Metrics, "stage" | "queued" | "batch" | "request" | "text"> = {
    counter: (name, help, labels = []) =>
      once(name, () => new Counter({ name, help, labelNames: [...labels], ...common })),
    gauge: (name, help, labels = []) => once(name, () => new Gauge({ name, help, labelNames: [...labels], ...common })),
    histogram: (name, help, labels = [], buckets = seconds) =>
      once(name, () => new Histogram({ name, help, labelNames: [...labels], buckets: [...buckets], ...common })),
  };
  const requests = metrics.histogram("mlsec_request_seconds", "Time to answer a request.", [
    "route",
    "method",
    "status",
  ]);
  const stages = metrics.histogram("mlsec_stage_seconds", "Time in one stage of the work.", ["stage"]);
  const queues = metrics.histogram("mlsec_queue_seconds", "Time waited before the work began.", ["queue"]);
  const batches = metrics.histogram("mlsec_batch_size", "Items worked on together.", ["batch"], sizes);
  processGauges(metrics);
  return {
    ...metrics,
    stage: (stage, value) => stages.observe({ stage }, value),
    queued: (queue, value) => queues.observe({ queue }, value),
    batch: (batch, size) => batches.observe({ batch }, size),
    request: ({ route, method, status }, value) => requests.observe({ route, method, status: String(status) }, value),
    text: async () => ({ body: await registry.metrics(), contentType: registry.contentType }),
  };
}

function processGauges(metrics: Pick<Metrics, "gauge">): void {
  const memory = metrics.gauge("process_resident_memory_bytes", "Resident memory of the process.");
  const uptime = metrics.gauge("process_uptime_seconds", "Seconds since the process began.");
  Object.assign(memory, { collect: () => memory.set(process.memoryUsage.rss()) });
  Object.assign(uptime, { collect: () => uptime.set(process.uptime()) });
}
