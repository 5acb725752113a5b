/**
 * Verdicts a second over HTTP: POST /predict by keep-alive clients on the same cores as the whole system. From cache, then
 * with texts of at most 32 tokens that are all different, without and with the cascade. The peer of the cascade is the
 * full detector alone; nothing else answers over HTTP with spans, records and calibrated labels.
 * Command: npm run bench -- http [--clients 64] [--seconds 8] [--data FOLDER]. The last line is JSON.
 */
import net from "node:net";
import { join, resolve } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { parseArgs } from "node:util";
import { loadTokenizer } from "../packages/engine/src/index.ts";
import { readRows, splitByGroup } from "../scripts/read-rows.ts";
import { emptyFolder, machine, percentile, removeFolder, startSystem } from "./measure.ts";
import { defaultData } from "./texts.ts";

const { values } = parseArgs({
  options: {
    clients: { type: "string", default: "64" },
    seconds: { type: "string", default: "8" },
    data: { type: "string", default: defaultData },
  },
});
const clients = Number(values.clients);
const seconds = Number(values.seconds);
const root = resolve(import.meta.dirname, "..");

interface Answer {
  readonly isRight: boolean;
  readonly isStudent: boolean;
}
interface Figures {
  readonly perSecond: number;
  readonly p50: number;
  readonly p99: number;
  readonly refused: number;
  readonly studentShare: number;
}

/** Texts of at most 32 tokens with a number behind them, from rows that the student was not trained on. */
async function shortTexts(): Promise<() => string> {
  const tokenizer = await loadTokenizer(join(root, "models", "distilbert"));
  const { heldOut } = splitByGroup(await readRows([values.data, join(root, "data", "training")]), 1);
  const texts = heldOut.flatMap(({ text }) =>
    text.length <= 200 && tokenizer.encode(text).ids.length <= 27 ? [text] : [],
  );
  console.log(`${texts.length} short rows, in turn`);
  let next = 0;
  return () => `${texts[next % texts.length] ?? ""} ${1_000 + next++}`;
}

/** One client that always has one request under way, until `isOver`. */
function client(
  url: string,
  nextText: () => string,
  isOver: () => boolean,
  onAnswer: (answer: Answer, ms: number) => void,
) {
  const { hostname, port, host } = new URL(url);
  const socket = net.connect(Number(port), hostname).setNoDelay(true);
  const { promise, resolve: done, reject } = Promise.withResolvers<void>();
  let began = 0;
  let received = Buffer.alloc(0);
  const send = (): void => {
    const body = JSON.stringify({ text: nextText(), model_name: "distilbert" });
    began = performance.now();
    socket.write(
      `POST /predict HTTP/1.1\r\nhost: ${host}\r\ncontent-type: application/json\r\ncontent-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
    );
  };
  socket.on("connect", send).on("error", reject);
  socket.on("data", (chunk: Buffer) => {
    received = Buffer.concat([received, chunk]);
    const headEnd = received.indexOf("\r\n\r\n");
    if (headEnd < 0) return;
    const head = received.toString("latin1", 0, headEnd);
    const end = headEnd + 4 + Number(/content-length: (\d+)/i.exec(head)?.[1] ?? Number.NaN);
    if (!(received.length >= end)) return;
    const isRight = head.startsWith("HTTP/1.1 200");
    const isStudent = received.includes('"answered_by":"student"');
    onAnswer({ isRight, isStudent }, performance.now() - began);
    received = received.subarray(end);
    if (!isOver()) return send();
    socket.end();
    done();
  });
  return promise;
}

async function load(url: string, nextText: () => string): Promise<Figures> {
  const latencies: number[] = [];
  let refused = 0;
  let students = 0;
  let phase: "warming" | "measuring" | "over" = "warming";
  const all = Array.from({ length: clients }, () =>
    client(
      url,
      nextText,
      () => phase === "over",
      ({ isRight, isStudent }, ms) => {
        if (phase !== "measuring") return;
        latencies.push(ms);
        if (!isRight) refused++;
        if (isStudent) students++;
      },
    ),
  );
  await wait(2_000);
  phase = "measuring";
  const began = performance.now();
  await wait(seconds * 1000);
  const elapsed = (performance.now() - began) / 1000;
  phase = "over";
  await Promise.all(all);
  return {
    perSecond: Math.round(latencies.length / elapsed),
    p50: percentile(latencies, 0.5),
    p99: percentile(latencies, 0.99),
    refused,
    studentShare: students / latencies.length,
  };
}

const show = (name: string, { perSecond, p50, p99, refused, studentShare }: Figures): void =>
  console.log(
    `${name.padEnd(22)} ${perSecond}/s, p50 ${p50.toFixed(1)} ms, p99 ${p99.toFixed(1)} ms, ${refused} refused, ${(100 * studentShare).toFixed(0)} % by the student`,
  );

console.log(machine("npm run bench -- http"));
const fresh = await shortTexts();
const figures: Record<string, Figures> = {};
for (const cascade of ["off", "on"]) {
  process.env["MLSEC_CASCADE"] = cascade;
  const dataDir = emptyFolder();
  const system = await startSystem(dataDir);
  try {
    const url = system.url("model-api");
    const name = `fresh, cascade ${cascade}`;
    show(name, (figures[name] = await load(url, fresh)));
    if (cascade === "off") continue;
    let turn = 0;
    const repeated = Array.from({ length: 64 }, fresh);
    show("from cache", (figures["from cache"] = await load(url, () => repeated[turn++ % 64] ?? "")));
  } finally {
    await system.stop();
    removeFolder(dataDir);
  }
}
const [cached, quick] = [figures["from cache"], figures["fresh, cascade on"]];
const met = (cached?.perSecond ?? 0) >= 10_000 && (quick?.perSecond ?? 0) >= 1_000 && (quick?.p99 ?? Infinity) < 100;
console.log(
  JSON.stringify({ bench: "http", clients, figures, target: { cached: 10_000, fresh: 1_000, p99_ms: 100 }, met }),
);
