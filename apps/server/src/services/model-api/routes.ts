// The calls of the Model API.
import {
  AppError,
  type Handlers,
  labels,
  type modelApi,
  type ModelMemory,
  Reply,
  type Verdict,
} from "@mlsec/contracts";
import { type DetectorVerdict, type EnsembleMethod, type ExecutionProvider, utf16ToCodePoint } from "@mlsec/engine";
import { setTimeout as delay } from "node:timers/promises";
import type { AskOptions } from "./inference/inference.ts";
import type { Metrics } from "../../platform/telemetry/metrics.ts";
import type { Catalogue } from "./models/catalogue.ts";
import { type Downloads, type HubSource, hubSource } from "./models/downloads.ts";
import { modelFile } from "./models/files.ts";
import type { Pool } from "./models/pool.ts";
import type { States } from "./models/states.ts";
import { type ModelRef, parseName, slotOf } from "./names.ts";
import type { StatsRing } from "./stats.ts";
import type { VerdictStore } from "./store.ts";
import { ensembleAnswer, rowOf, singleAnswer } from "./verdicts/answer.ts";
import { type Item, type ItemError, itemError, itemsOf } from "./verdicts/batch.ts";
import type { VerdictCache } from "./verdicts/cache.ts";
import { combine, distinct, memberWeights } from "./verdicts/ensemble.ts";
import { piecesOf, sumWithin, without } from "./verdicts/explain.ts";
import type { Judge, Judged } from "./verdicts/judge.ts";
import type { Recorder } from "./verdicts/recorder.ts";

export interface Parts {
  readonly judge: Judge;
  readonly pool: Pool;
  readonly states: States;
  readonly catalogue: Catalogue;
  readonly downloads: Downloads;
  readonly cache: VerdictCache;
  readonly recorder: Recorder;
  readonly store: VerdictStore;
  readonly stats: StatsRing;
  readonly metrics: Metrics;
  readonly clock: () => Date;
  readonly provider: ExecutionProvider;
  readonly defaultModel: string;
}
type Routes = Handlers<typeof modelApi>;
/** A load that must fetch its model first is answered after this time; it goes on, and GET /models/{name} shows how far it is. */
const patienceMs = 5_000;
const dayMs = 86_400_000;

export function modelApiRoutes(parts: Parts): Routes {
  return { ...predictions(parts), ...modelCalls(parts), ...insights(parts) };
}

function predictions(parts: Parts): Pick<Routes, "predict" | "predictBatch" | "predictEnsemble"> {
  const { judge, defaultModel, clock } = parts;
  const note = noted(parts);
  const one = async (text: string, asked: string, withProbabilities: boolean, options: AskOptions) => {
    const started = performance.now();
    judge.requireLength(text);
    const [judged] = await judge.judge(asked, [text], options);
    if (!judged) throw new AppError("INTERNAL", "no verdict for the text");
    const latencyMs = performance.now() - started;
    return note(singleAnswer(judged, { text, now: clock(), latencyMs, withProbabilities }), judged.verdict, judged);
  };
  const together = togetherOf(parts);

  return {
    predict: async ({ body, context: { signal } }) => {
      const { text, model_name, models, ensemble, return_probabilities, cascade, explain } = body;
      const named = distinct([...(models ?? []), ...(model_name === undefined ? [] : [model_name])]);
      if (named.length <= 1 && ensemble !== true)
        return await one(text, named[0] ?? defaultModel, return_probabilities, { signal, whole: !cascade, explain });
      if (ensemble === false) throw severalModels();
      const options = { method: "averaging", weights: {}, withProbabilities: return_probabilities, signal } as const;
      return (await together(text, named.length > 1 ? named : loadedNames(parts), options)).answer;
    },
    predictEnsemble: async ({ body, context: { signal } }) => {
      const { text, models, ensemble_method: method, model_weights } = body;
      const named = models ? distinct(models) : loadedNames(parts);
      const options = { method, weights: model_weights ?? {}, withProbabilities: true, signal };
      const { answer, weights } = await together(text, named, options);
      return { ...answer, model_weights: weights, ensemble_method: method };
    },
    predictBatch: async ({ body, context: { principal, signal } }) => {
      const started = performance.now();
      const items = itemsOf(body, defaultModel);
      const isTest = !Array.isArray(body) && body.purpose === "test";
      if (isTest && !principal.scopes.includes("redteam"))
        throw new AppError("FORBIDDEN", "purpose `test` needs the scope redteam");
      const results = await batchResults(parts, items, { isTest, signal });
      const successful = results.filter((result) => !("error" in result)).length;
      return {
        results,
        predictions: results,
        total_texts: items.length,
        successful_predictions: successful,
        processing_time_ms: performance.now() - started,
      };
    },
  };
}

const severalModels = (): AppError => {
  const message = "several models without an ensemble; name one, or leave `ensemble` out";
  return new AppError("INVALID_INPUT", message, { errors: [{ field: "models", message }] });
};

/** Detectors that serve their champion or a folder; pinned versions are asked for by name. */
const loadedNames = ({ pool }: Parts): string[] =>
  pool.slots().flatMap(({ served }) => (served && parseName(served.slot).version === undefined ? [served.slot] : []));

/** Counts an answer and hands it to the recorder; answers to tests are no traffic and stay out of both. */
function noted({ stats, recorder, metrics }: Parts, isTest = false) {
  const verdicts = metrics.counter("mlsec_verdicts_total", "Verdicts by model and label.", [
    "model",
    "label",
    "cached",
  ]);
  return (answer: Verdict, verdict: DetectorVerdict, judged: Judged): Verdict => {
    const { prediction: label, is_attack: isAttack, processing_time_ms: latencyMs } = answer;
    metrics.stage("verdict", latencyMs / 1000);
    if (isTest) return answer;
    stats.add({ label, isAttack, latencyMs });
    verdicts.inc({ model: answer.model_name, label, cached: String(answer.from_cache) });
    recorder.add(rowOf(answer, verdict, judged));
    return answer;
  };
}

interface Together {
  readonly method: EnsembleMethod;
  readonly weights: Readonly<Record<string, number>>;
  readonly withProbabilities: boolean;
  readonly signal: AbortSignal;
}

function togetherOf(parts: Parts) {
  const { judge, clock } = parts;
  const note = noted(parts);
  return async (
    text: string,
    names: readonly string[],
    { method, weights: given, withProbabilities, signal }: Together,
  ) => {
    const started = performance.now();
    judge.requireLength(text);
    if (names.length === 0)
      throw new AppError("MODEL_NOT_LOADED", "no model is loaded; POST /models/{name}/load loads one");
    const weights = memberWeights(names, given);
    const members = (await Promise.all(names.map((name) => judge.judge(name, [text], { signal })))).flat();
    const [first] = members;
    if (!first) throw new AppError("INTERNAL", "no verdict for the text");
    const combined = combine(members, method, weights);
    const latencyMs = performance.now() - started;
    const answer = ensembleAnswer(members, combined, { text, now: clock(), latencyMs, withProbabilities });
    return { answer: note(answer, combined, first), weights };
  };
}

async function batchResults(
  parts: Parts,
  items: readonly (Item | ItemError)[],
  { isTest, signal }: { readonly isTest: boolean; readonly signal: AbortSignal },
): Promise<(ItemError | (Verdict & { id?: string }))[]> {
  const { judge, clock } = parts;
  const note = noted(parts, isTest);
  const results: (ItemError | (Verdict & { id?: string }) | undefined)[] = items.map((item) =>
    "error" in item ? item : tooLong(judge, item),
  );
  const open = items.flatMap((item, i) => ("error" in item || results[i] ? [] : [{ item, i }]));
  const byModel = Map.groupBy(open, ({ item }) => item.model);
  for (const [model, group] of byModel) {
    const started = performance.now();
    const texts = group.map(({ item }) => item.text);
    const judged = await judge.judge(model, texts, { signal }).catch((error: unknown) => refusal(error));
    // A text's share: it did not wait for an answer of its own.
    const latencyMs = (performance.now() - started) / group.length;
    group.forEach(({ item, i }, k) => {
      const id = item.id === undefined ? {} : { id: item.id };
      const found = judged instanceof AppError ? undefined : judged[k];
      if (!found) results[i] = itemError(judged, item.id);
      else {
        const answer = singleAnswer(found, { text: item.text, now: clock(), latencyMs, withProbabilities: true });
        results[i] = { ...note(answer, found.verdict, found), ...id };
      }
    });
  }
  return results.map((result) => result ?? itemError(new AppError("INTERNAL", "no verdict for the text")));
}

/** A model that cannot answer is its items' error; trouble of the whole system is everybody's. */
function refusal(error: unknown): AppError {
  if (error instanceof AppError && (error.status === 404 || error.status === 409)) return error;
  throw error;
}

function tooLong(judge: Judge, { text, id }: Item): ItemError | undefined {
  try {
    judge.requireLength(text);
    return undefined;
  } catch (error) {
    return itemError(error, id);
  }
}

function modelCalls(
  parts: Parts,
): Pick<Routes, "listModels" | "getModel" | "modelFile" | "loadModel" | "unloadModel" | "reloadModel"> {
  const { judge, pool, states, downloads, defaultModel } = parts;
  return {
    listModels: async () => ({
      models: await states.list(),
      default_model: defaultModel,
      execution_provider: parts.provider,
      memory: memoryOf(pool),
      next_cursor: null,
    }),
    getModel: ({ params }) => states.get(params.name),
    modelFile: async ({ params, query }) => await modelFile(await judge.find(params.name), params.file, query.sha256),
    loadModel: async ({ params, body }) => {
      const ref = parseName(params.name);
      const pinned = body?.version === undefined ? ref : { ...ref, version: body.version };
      const source = await sourceToFetch(parts, pinned);
      if (!source) return await states.of(await pool.load(pinned, body?.label_map));
      const name = slotOf(pinned);
      const theirs = await downloads.labels(name, source);
      if (pinned.form === "hub" && body?.label_map === undefined) throw unmapped(theirs);
      const work = downloads.fetch(name, source).then(() => pool.load(pinned, body?.label_map));
      const served = await Promise.race([work, delay(patienceMs, undefined, { ref: false })]);
      if (served) return await states.of(served);
      work.catch((error: unknown) => downloads.fail(name, error));
      return new Reply(202, await states.get(name));
    },
    unloadModel: async ({ params }) => {
      const ref = parseName(params.name);
      const state = await states.get(params.name);
      if (!downloads.cancel(slotOf(ref)) && !pool.unload(ref)) return state;
      return { ...state, state: "unloaded", memory_bytes: 0, loaded_at: null };
    },
    reloadModel: async ({ params }) => await states.of(await pool.reload(parseName(params.name))),
  };
}

const memoryOf = ({ memory: { usedBytes, budgetBytes, evictions } }: Pool): ModelMemory => ({
  used_bytes: usedBytes,
  budget_bytes: budgetBytes ?? null,
  evictions,
});

const unmapped = (theirs: readonly string[]): AppError =>
  new AppError(
    "LABELS_UNMAPPED",
    `the model's own labels must be mapped to attack or benign with label_map; they are ${theirs.slice(0, 20).join(", ")}`,
  );

/** A model that comes from the hub and is not here; an encoder of the list only where no version of it was trained. */
async function sourceToFetch({ pool, catalogue, downloads }: Parts, ref: ModelRef): Promise<HubSource | undefined> {
  const source = hubSource(ref.name);
  if (!source || ref.form === "pretrained" || ref.version !== undefined || pool.slot(slotOf(ref))?.served)
    return undefined;
  if (ref.form === "trained" && (await catalogue.loadable()).includes(ref.name)) return undefined;
  return (await downloads.find(source)) ? undefined : source;
}

function insights(parts: Parts): Pick<Routes, "feedback" | "explain" | "stats" | "history" | "clearCache"> {
  const { judge, cache, stats, store, recorder, defaultModel } = parts;
  return {
    feedback: async ({ params, body, context }) => {
      await recorder.flush();
      const { label, note } = body;
      const stored = await store.addFeedback({ verdictId: params.id, principal: context.principal.id, label, note });
      return { verdict_id: params.id, label, stored_at: stored.toISOString() };
    },
    explain: async ({ body, context: { signal } }) => {
      const { text, model_name, method } = body;
      const served = await judge.find(model_name ?? defaultModel);
      const pieces = piecesOf(text);
      const isGradient = method === "gradient";
      const variants = isGradient ? [text] : [text, ...pieces.map((piece) => without(text, piece))];
      const [whole, ...rest] = (await judge.probe(served, variants, signal)).map(
        (verdict) => verdict.attackProbability,
      );
      const tokens = isGradient ? await judge.attribute(served, text, signal) : [];
      const attributions = isGradient
        ? pieces.map((piece) => sumWithin(tokens, piece))
        : pieces.map((_, i) => (whole ?? 0) - (rest[i] ?? 0));
      const point = utf16ToCodePoint(text);
      return {
        model_name: served.name,
        model_version: served.located.version,
        method,
        attack_probability: whole ?? 0,
        tokens: pieces.map((piece, i) => ({
          text: piece.text,
          start: point(piece.start),
          end: point(piece.end),
          attribution: attributions[i] ?? 0,
        })),
      };
    },
    stats: async ({ query }) => {
      const read = stats.read(query.minutes);
      const none = Object.fromEntries(labels.map((label) => [label, 0]));
      return { ...read, by_label: { ...none, ...read.by_label }, cache: cache.stats() };
    },
    history: async ({ query }) => {
      await recorder.flush();
      return store.history(new Date(parts.clock().getTime() - query.days * dayMs));
    },
    clearCache: async ({ query }) => ({
      evicted: cache.clear(query.model_name && slotOf(parseName(query.model_name))),
    }),
  };
}
