/** Trains the linear model: AdaGrad over hashed rows, weights averaged over the last epochs, seeded. */
import { setImmediate as nextTurn } from "node:timers/promises";
import { EngineError } from "../error.ts";
import { createRandom } from "../tensor/random.ts";
import { defaultFeatures, type FeatureConfig } from "./features.ts";
import { createLinear, type LinearModel } from "./model.ts";
import { createHasher, eachValue, type HashedText } from "./rows.ts";
import { type CharacterWindows, characterWindows, defaultWindows } from "./windows.ts";

/** A labelled text. */
export interface LinearRow {
  readonly text: string;
  readonly label: string;
  /** How much it counts; 1 by default. */
  readonly weight?: number;
}

/** Everything that training depends on. */
export interface LinearConfig {
  readonly labels: readonly string[];
  /** The label whose texts are benign in every window; other texts only need one window that is not. */
  readonly benign: string;
  readonly features: FeatureConfig;
  readonly windows: CharacterWindows;
  /** Windows of one text that are used, spread over it. */
  readonly maxWindows: number;
  readonly epochs: number;
  readonly learningRate: number;
  /** Pull towards zero at each update of a weight. */
  readonly decay: number;
  /** 0: every row weighs the same; 1: every class does. */
  readonly balance: number;
  /**
   * P(attack) of a text of which nothing is known. The bias is fixed to it, not learnt: otherwise it drifts to the
   * share of attacks among the rows, and an empty or unheard-of text would look suspicious.
   */
  readonly priorAttack: number;
  readonly seed: number;
}

/** The defaults behind `models/linear`. */
export const defaultLinearConfig: LinearConfig = {
  labels: ["prompt_injection", "jailbreak", "system_extraction", "code_injection", "benign"],
  benign: "benign",
  features: defaultFeatures,
  windows: defaultWindows,
  maxWindows: 6,
  epochs: 4,
  learningRate: 0.1,
  decay: 1e-6,
  balance: 0,
  priorAttack: 0.05,
  seed: 1,
};

/** How far training is. */
export interface LinearProgress {
  readonly phase: "preparing" | "training";
  readonly done: number;
  readonly total: number;
  readonly epoch: number;
  /** Mean loss of the epoch so far. */
  readonly loss: number;
}

/** Callbacks of `trainLinear`. */
export interface LinearHooks {
  readonly onProgress?: (progress: LinearProgress) => void;
  readonly signal?: AbortSignal;
}

/** A trained model and the mean loss of each epoch. */
export interface LinearResult {
  readonly model: LinearModel;
  readonly losses: readonly number[];
}

const ROWS_PER_TURN = 500;

/**
 * Trains on labelled texts; 35,000 of them take under a minute. Yields to the event loop every 500 rows.
 * Of a long attack only the window that looks most like its label is learnt, as only that one will be judged by.
 * @throws EngineError DATA when rows are unusable, CANCELLED when the signal aborts, DIVERGED when the loss is NaN.
 * @example
 * const { model } = await trainLinear(rows, { epochs: 4 });
 */
export async function trainLinear(
  rows: readonly LinearRow[],
  config: Partial<LinearConfig> = {},
  hooks: LinearHooks = {},
): Promise<LinearResult> {
  const settings = { ...defaultLinearConfig, ...config };
  const examples = await prepare(rows, settings, hooks);
  const state = createState(settings, classWeights(examples, settings), priors(examples, settings));
  const losses: number[] = [];
  for (let epoch = 0; epoch < settings.epochs; epoch++) {
    const order = createRandom(settings.seed, epoch).shuffle(examples);
    let sum = 0;
    for (const [done, example] of order.entries()) {
      sum += learn(state, example, epoch === 0);
      if (done % ROWS_PER_TURN === ROWS_PER_TURN - 1 || done === order.length - 1) {
        const loss = sum / (done + 1);
        hooks.onProgress?.({ phase: "training", done: done + 1, total: order.length, epoch, loss });
        await pause(hooks);
      }
    }
    if (!Number.isFinite(sum))
      throw new EngineError("DIVERGED", "the loss is not a number", { got: settings.learningRate });
    losses.push(sum / order.length);
    if (epoch >= settings.epochs / 2) addToAverage(state);
  }
  const { labels, features } = settings;
  return { model: createLinear({ labels, features, weights: averaged(state), bias: state.bias }), losses };
}

interface Example {
  readonly windows: readonly HashedText[];
  readonly label: number;
  readonly isBenign: boolean;
  readonly weight: number;
}

async function prepare(rows: readonly LinearRow[], settings: LinearConfig, hooks: LinearHooks): Promise<Example[]> {
  const { labels, benign, maxWindows } = settings;
  if (rows.length === 0) throw new EngineError("DATA", "no rows to train on");
  const hasher = createHasher(settings.features);
  const examples: Example[] = [];
  for (const [i, { text, label, weight = 1 }] of rows.entries()) {
    const index = labels.indexOf(label);
    if (index < 0) throw new EngineError("DATA", "unknown label", { where: `row ${i}`, expected: labels, got: label });
    const all = characterWindows(text, settings.windows);
    const step = Math.max(1, all.length / maxWindows);
    const windows: HashedText[] = [];
    for (let at = 0; at < all.length && windows.length < maxWindows; at += step) {
      const window = all[Math.floor(at)];
      if (window) windows.push(hasher.hash(text.slice(window.start, window.end)));
    }
    examples.push({ windows, label: index, isBenign: label === benign, weight });
    if (i % ROWS_PER_TURN === 0) {
      hooks.onProgress?.({ phase: "preparing", done: i, total: rows.length, epoch: 0, loss: 0 });
      await pause(hooks);
    }
  }
  return examples;
}

interface State {
  readonly settings: LinearConfig;
  readonly weights: Float32Array;
  readonly bias: Float32Array;
  /** Sums of squared gradients, per weight. */
  readonly squares: Float32Array;
  readonly sums: Float64Array;
  readonly classWeights: Float64Array;
  summed: number;
}

function createState(settings: LinearConfig, weightsOfClasses: Float64Array, bias: Float32Array): State {
  const size = 2 ** settings.features.bits * settings.labels.length;
  return {
    settings,
    weights: new Float32Array(size),
    bias,
    squares: new Float32Array(size).fill(1e-4),
    sums: new Float64Array(size),
    classWeights: weightsOfClasses,
    summed: 0,
  };
}

function classWeights(examples: readonly Example[], { labels, balance }: LinearConfig): Float64Array {
  const counts = new Float64Array(labels.length);
  for (const { label } of examples) counts[label] = (counts[label] ?? 0) + 1;
  return counts.map((count) => (count === 0 ? 1 : (examples.length / (labels.length * count)) ** balance));
}

/** Log odds of the classes before any text is read: `priorAttack` shared by how often each attack occurs. */
function priors(examples: readonly Example[], { labels, benign, priorAttack }: LinearConfig): Float32Array {
  const counts = new Float64Array(labels.length).fill(1);
  for (const { label } of examples) counts[label] = (counts[label] ?? 0) + 1;
  const attacks = counts.reduce((sum, count, c) => (labels[c] === benign ? sum : sum + count), 0);
  return Float32Array.from(counts, (count, c) =>
    Math.log(labels[c] === benign ? 1 - priorAttack : (priorAttack * count) / attacks),
  );
}

/** One example: every window of a benign text (shared weight), the most telling window of an attack. */
function learn(state: State, example: Example, isFirstEpoch: boolean): number {
  const { windows, label, isBenign } = example;
  const weight = example.weight * (state.classWeights[label] ?? 1);
  if (isBenign || windows.length === 1 || isFirstEpoch) {
    let loss = 0;
    for (const window of windows) loss += update(state, window, label, weight / Math.sqrt(windows.length));
    return loss / windows.length;
  }
  let best = windows[0];
  let bestScore = Number.NEGATIVE_INFINITY;
  for (const window of windows) {
    const probabilities = probabilitiesOf(state, window);
    const score = probabilities[label] ?? 0;
    if (score > bestScore) [best, bestScore] = [window, score];
  }
  return best ? update(state, best, label, weight) : 0;
}

function probabilitiesOf({ settings, weights, bias }: State, hashed: HashedText): Float64Array {
  const classes = bias.length;
  const out = Float64Array.from(bias);
  eachValue(hashed, settings.features.bits, (bucket, value) => {
    const at = bucket * classes;
    for (let c = 0; c < classes; c++) out[c] = (out[c] ?? 0) + value * (weights[at + c] ?? 0);
  });
  const top = Math.max(...out);
  let sum = 0;
  for (let c = 0; c < classes; c++) {
    out[c] = Math.exp((out[c] ?? 0) - top);
    sum += out[c] ?? 0;
  }
  return out.map((value) => value / sum);
}

function update(state: State, hashed: HashedText, label: number, weight: number): number {
  const { settings, weights, squares, bias } = state;
  const { learningRate, decay } = settings;
  const probabilities = probabilitiesOf(state, hashed);
  const loss = -Math.log(Math.max(1e-12, probabilities[label] ?? 0));
  const classes = bias.length;
  const errors = probabilities.map((p, c) => weight * (p - (c === label ? 1 : 0)));
  eachValue(hashed, settings.features.bits, (bucket, value) => {
    const at = bucket * classes;
    for (let c = 0; c < classes; c++) {
      const old = weights[at + c] ?? 0;
      const gradient = (errors[c] ?? 0) * value + decay * old;
      const square = (squares[at + c] ?? 0) + gradient * gradient;
      squares[at + c] = square;
      weights[at + c] = old - (learningRate * gradient) / Math.sqrt(square);
    }
  });
  return loss;
}

function addToAverage(state: State): void {
  const { sums, weights } = state;
  for (let i = 0; i < sums.length; i++) sums[i] = (sums[i] ?? 0) + (weights[i] ?? 0);
  state.summed += 1;
}

function averaged({ sums, weights, summed }: State): Float32Array {
  return summed === 0 ? weights : Float32Array.from(sums, (sum) => sum / summed);
}

async function pause({ signal }: LinearHooks): Promise<void> {
  await nextTurn();
  if (signal?.aborted) throw new EngineError("CANCELLED", "training was cancelled");
}
