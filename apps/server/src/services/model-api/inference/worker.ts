// The inference worker: every ONNX Runtime session of the process lives here and is released here, because a run blocks
// its thread and ending a thread during a run aborts the process. It ends by itself after `close`, never by terminate.
import { setImmediate as nextTurn } from "node:timers/promises";
import { parentPort, workerData } from "node:worker_threads";
import {
  type Attributor,
  type BatchReport,
  type Cascade,
  type Detector,
  type DetectorVerdict,
  EngineError,
  type ExecutionProvider,
  openCascade,
  openAttributor,
  openDetector,
  readCascade,
  type VerdictOptions,
} from "@mlsec/engine";
import type { Answer, Ask, Failure, Loaded, Source } from "./protocol.ts";
import { warmUp } from "./warm.ts";

const { threads, provider } = workerData as { threads: number; provider: ExecutionProvider };
// As promises, so that verdicts asked for while a detector opens wait for it.
const detectors = new Map<string, Promise<Detector>>();
const folders = new Map<string, string>();
// Opened when somebody first asks: gradients need the weights in float32.
const attributors = new Map<string, Promise<Attributor>>();
const running = new Map<number, { readonly abort: AbortController; readonly done: Promise<void> }>();
const port = parentPort;

const answer = (message: Answer): void => port?.postMessage(message);
const onBatch = (batch: BatchReport): void => answer({ id: -1, batch });

async function perform(ask: Ask, signal: AbortSignal): Promise<Extract<Answer, { value: unknown }>["value"]> {
  if (ask.op === "load") {
    const opening = open(ask.source);
    const ready = opening.then(async ({ detector }) => {
      await warmUp(detector);
      return detector;
    });
    detectors.set(ask.key, ready);
    folders.set(ask.key, ask.source.folder);
    ready.catch(() => detectors.delete(ask.key));
    await ready;
    const { detector, ...about } = await opening;
    return { ...about, manifest: detector.manifest, memoryBytes: detector.memoryBytes };
  }
  if (ask.op === "verdicts") {
    const detector = await detectorOf(ask.key);
    return await verdictsOf(ask.whole && isCascade(detector) ? detector.full : detector, ask.texts, {
      signal,
      isBrief: ask.isBrief,
    });
  }
  if (ask.op === "attribute") return await (await attributorOf(ask.key)).attribute(ask.text, { signal });
  if (ask.op === "release") await release(ask.key);
  if (ask.op === "close") await closeAfter([...running].flatMap(([id, { done }]) => (id === ask.id ? [] : done)));
  return undefined;
}

const isCascade = (detector: Detector): detector is Cascade => "student" in detector;

type Opened = Pick<Loaded, "cascade" | "trouble"> & { readonly detector: Detector };

/** The detector with its cascade where it has one; a cascade that does not fit takes nothing away but itself. */
async function open({ folder, students, labelMap }: Source): Promise<Opened> {
  const options = { threads, provider, onBatch, ...(labelMap ? { labelMap } : {}) };
  const cascade = students === undefined ? undefined : await readCascade(folder).catch(() => undefined);
  if (students === undefined || cascade === undefined) return { detector: await openDetector(folder, options) };
  try {
    return { detector: await openCascade(folder, students, options), cascade };
  } catch (error) {
    const detector = await openDetector(folder, options);
    return { detector, trouble: `without its cascade: ${failureOf(error).message}` };
  }
}

// Cutting texts into tokens holds the thread; after this many characters others get a turn.
const turnChars = 32_000;

async function verdictsOf(
  detector: Detector,
  texts: readonly string[],
  options: VerdictOptions,
): Promise<DetectorVerdict[]> {
  const verdicts: DetectorVerdict[] = [];
  while (verdicts.length < texts.length) {
    if (verdicts.length > 0) await nextTurn();
    const from = verdicts.length;
    let chars = 0;
    let to = from;
    do chars += texts[to++]?.length ?? 0;
    while (to < texts.length && chars + (texts[to]?.length ?? 0) <= turnChars);
    verdicts.push(...(await detector.verdicts(texts.slice(from, to), options)));
  }
  return verdicts;
}

function detectorOf(key: string): Promise<Detector> {
  const detector = detectors.get(key);
  if (detector) return detector;
  throw new EngineError("CANCELLED", "the detector was released", { where: key });
}

async function attributorOf(key: string): Promise<Attributor> {
  const known = attributors.get(key);
  if (known) return await known;
  const { manifest } = await detectorOf(key);
  const { benignLabels, precision, windowTokens } = manifest;
  if (manifest.kind !== "transformer")
    throw new EngineError("CONFIG", "only a transformer has gradients; ask for the method occlusion");
  const opening = openAttributor(folders.get(key) ?? "", { benignLabels, precision, windowTokens, threads });
  attributors.set(key, opening);
  opening.catch(() => attributors.delete(key));
  return await opening;
}

async function release(key: string): Promise<void> {
  const [detector, attributor] = [detectors.get(key), attributors.get(key)];
  detectors.delete(key);
  attributors.delete(key);
  folders.delete(key);
  await (await attributor)?.release();
  await (await detector)?.release();
}

async function closeAfter(calls: readonly Promise<void>[]): Promise<void> {
  await Promise.all(calls);
  for (const key of [...detectors.keys()]) await release(key);
}

function failureOf(error: unknown): Failure {
  if (error instanceof EngineError) {
    const { where = "", expected } = error.details;
    const named = Array.isArray(expected) ? { expected: expected.slice(0, 20).join(", ") } : {};
    return { code: error.code, message: error.message, where, ...named };
  }
  const { code } = (error ?? {}) as { code?: unknown };
  const message = error instanceof Error ? error.message : String(error);
  return { code: typeof code === "string" ? code : "UNKNOWN", message };
}

port?.on("message", (ask: Ask) => {
  if (ask.op === "cancel") return running.get(ask.id)?.abort.abort();
  const abort = new AbortController();
  const done = perform(ask, abort.signal)
    .then(
      (value) => answer({ id: ask.id, value }),
      (error: unknown) => answer({ id: ask.id, failure: failureOf(error) }),
    )
    .finally(() => {
      running.delete(ask.id);
      if (ask.op === "close") port.close();
    });
  running.set(ask.id, { abort, done });
});
