/** How a training run behaves. The defaults below are the documentation. */
import { EngineError } from "../error.ts";
import type { AdversaryConfig } from "./adversary.ts";
import type { LoraConfig } from "./lora.ts";
import type { Precision } from "./precision.ts";

/** Settings of `trainTransformer`. */
export interface TrainConfig {
  /** Labels in the order of the logits. */
  readonly labels: readonly string[];
  /** The label that means no attack: long rows of it are windowed differently. */
  readonly benignLabel: string;
  /** Labels are independent, and a row may have several or none; what the base model's configuration says by default. */
  readonly multiLabel?: boolean;
  /** Passes over the rows; may be a fraction. */
  readonly epochs: number;
  /** Highest learning rate, reached after the warm-up. */
  readonly learningRate: number;
  /** Rows per update, whatever their length: long batches are accumulated over several runs. */
  readonly batchSize: number;
  /** Tokens per row, specials included; longer rows are cut into windows. */
  readonly maxLength: number;
  /** Tokens per run of the graph, padding included; bounds memory. */
  readonly tokenBudget: number;
  /** Share of all updates over which the learning rate rises from 0. */
  readonly warmupRatio: number;
  readonly schedule: "linear" | "cosine";
  /** Decoupled decay; biases and normalisations have none. */
  readonly weightDecay: number;
  readonly beta1: number;
  readonly beta2: number;
  readonly epsilon: number;
  readonly seed: number;
  /** Gradients are scaled down to this global norm; 0 turns clipping off. */
  readonly maxGradNorm: number;
  /** Rate on hidden states and in front of the classifier. */
  readonly dropout: number;
  readonly attentionDropout: number;
  readonly labelSmoothing: number;
  /** Weight of a row by its label; "balanced": inverse to the square root of the label's share. Missing labels count 1. */
  readonly classWeights: Readonly<Record<string, number>> | "balanced" | "none";
  /** Stop after this many evaluations without improvement; 0 never stops early. */
  readonly patience: number;
  /** What picks the best checkpoint among evaluations. */
  readonly metricForBest: "loss" | "accuracy" | "macroF1";
  /** Evaluations per epoch; the last step is always evaluated. */
  readonly evaluationsPerEpoch: number;
  /** Share of the groups held out when no evaluation rows are given. */
  readonly evalFraction: number;
  /** Most rows that `evalFraction` holds out. */
  readonly maxEvalRows: number;
  /** Most windows of a row that an evaluation looks at. */
  readonly maxEvalWindows: number;
  /** Products of the encoder's layers; "auto" takes int8 for gradients where this processor gains by it, and decides once per run. What it costs: docs/decisions/0049. */
  readonly precision: Precision | "auto";
  /** Train low-rank updates of the encoder's layers instead of the layers (`rank` 8 and `alpha` 16 are usual); null trains them whole. */
  readonly lora: LoraConfig | null;
  /** Learn pushed word vectors beside the clean ones, at twice the cost (PGD: 1 + steps times). */
  readonly adversarial: AdversaryConfig | null;
  /** How rows with a teacher's probabilities are learnt. `share` is the teacher's part of the loss. */
  readonly distillation: { readonly temperature: number; readonly share: number };
  /** Leave embeddings as they are. */
  readonly freezeEmbeddings: boolean;
  /** Leave this many of the lowest layers as they are (implies nothing about embeddings). */
  readonly freezeLayers: number;
}

/** Defaults for fine-tuning a small pretrained encoder. */
export const defaultTrainConfig: TrainConfig = {
  labels: ["prompt_injection", "jailbreak", "system_extraction", "code_injection", "benign"],
  benignLabel: "benign",
  epochs: 2,
  learningRate: 5e-5,
  batchSize: 32,
  maxLength: 128,
  tokenBudget: 4096,
  warmupRatio: 0.06,
  schedule: "linear",
  weightDecay: 0.01,
  beta1: 0.9,
  beta2: 0.999,
  epsilon: 1e-8,
  seed: 42,
  maxGradNorm: 1,
  dropout: 0.1,
  attentionDropout: 0,
  labelSmoothing: 0,
  classWeights: "none",
  patience: 0,
  metricForBest: "loss",
  evaluationsPerEpoch: 1,
  evalFraction: 0.1,
  maxEvalRows: 3000,
  maxEvalWindows: 4,
  precision: "float32",
  lora: null,
  adversarial: null,
  distillation: { temperature: 2, share: 0.5 },
  freezeEmbeddings: false,
  freezeLayers: 0,
};

/** Ranges of the numeric settings: lowest and highest allowed value. */
const ranges: Readonly<Partial<Record<keyof TrainConfig, readonly [number, number]>>> = {
  epochs: [0.001, 1000],
  learningRate: [1e-9, 1],
  batchSize: [1, 4096],
  maxLength: [4, 8192],
  tokenBudget: [16, 65_536],
  warmupRatio: [0, 1],
  weightDecay: [0, 10],
  seed: [0, Number.MAX_SAFE_INTEGER],
  maxGradNorm: [0, 1e6],
  dropout: [0, 0.95],
  attentionDropout: [0, 0.95],
  labelSmoothing: [0, 0.5],
  patience: [0, 1e6],
  evaluationsPerEpoch: [0, 1000],
  evalFraction: [0, 0.9],
  maxEvalRows: [0, 1e9],
  maxEvalWindows: [1, 1000],
  freezeLayers: [0, 1000],
};

/**
 * Fills in the defaults and checks the ranges.
 * @throws EngineError CONFIG naming the setting, its range and what was given.
 */
export function resolveTrainConfig(given: Partial<TrainConfig>): TrainConfig {
  const config = { ...defaultTrainConfig, ...given };
  for (const [name, [lowest, highest]] of Object.entries(ranges)) {
    const value = config[name as keyof TrainConfig];
    if (typeof value === "number" && value >= lowest && value <= highest) continue;
    const expected = `${lowest} to ${highest}`;
    throw new EngineError("CONFIG", `${name} must be ${expected}`, { where: name, expected, got: value });
  }
  checkNested(config);
  const choices = { schedule: ["linear", "cosine"], precision: ["auto", "float32", "int8-gradients", "int8"] } as const;
  for (const [name, expected] of Object.entries(choices)) {
    const value = config[name as keyof typeof choices];
    if ((expected as readonly string[]).includes(value)) continue;
    throw new EngineError("CONFIG", `${name} is unknown`, { where: name, expected, got: value });
  }
  return config;
}

/** Settings within settings, by the same rules. */
function checkNested({ lora, adversarial, distillation }: TrainConfig): void {
  const nested: [string, number | undefined, number, number][] = [
    ["lora.rank", lora?.rank, 1, 256],
    ["lora.alpha", lora?.alpha, 0.001, 4096],
    ["adversarial.epsilon", adversarial?.epsilon, 1e-6, 1000],
    ["adversarial.steps", adversarial?.steps, 1, 20],
    ["distillation.temperature", distillation.temperature, 0.1, 100],
    ["distillation.share", distillation.share, 0, 1],
  ];
  for (const [where, value, lowest, highest] of nested) {
    if (value === undefined || (value >= lowest && value <= highest)) continue;
    const expected = `${lowest} to ${highest}`;
    throw new EngineError("CONFIG", `${where} must be ${expected}`, { where, expected, got: value });
  }
  const method = adversarial?.method ?? "fgm";
  if (method === "fgm" || method === "pgd") return;
  throw new EngineError("CONFIG", "adversarial.method is unknown", {
    where: "adversarial.method",
    expected: ["fgm", "pgd"],
    got: method,
  });
}

/** Learning rate of an update (0-based): linear warm-up, then linear or cosine down to 0. */
export function learningRateAt(config: TrainConfig, step: number, totalSteps: number): number {
  const warmup = Math.round(config.warmupRatio * totalSteps);
  if (step < warmup) return (config.learningRate * (step + 1)) / (warmup + 1);
  const progress = (step - warmup) / Math.max(1, totalSteps - warmup);
  const left = config.schedule === "linear" ? 1 - progress : (1 + Math.cos(Math.PI * progress)) / 2;
  return config.learningRate * left;
}
