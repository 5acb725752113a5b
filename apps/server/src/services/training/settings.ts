// The settings of a job: Hugging Face's names are understood, an unknown name is refused with the nearest known one.
import { AppError, type FieldError, TrainSettings } from "@mlsec/contracts";
import { nearest } from "../../platform/http/validate.ts";

const aliases: Readonly<Record<string, keyof TrainSettings>> = {
  num_train_epochs: "epochs",
  num_epochs: "epochs",
  lr: "learning_rate",
  per_device_train_batch_size: "batch_size",
  per_gpu_train_batch_size: "batch_size",
  train_batch_size: "batch_size",
  max_seq_length: "max_length",
  max_seq_len: "max_length",
  model_max_length: "max_length",
  warmup_proportion: "warmup_ratio",
  num_warmup_steps: "warmup_steps",
  max_gradient_norm: "max_grad_norm",
  lr_scheduler_type: "lr_scheduler",
  hidden_dropout_prob: "dropout",
  label_smoothing_factor: "label_smoothing",
  early_stopping_patience: "patience",
  metric_for_best: "metric_for_best_model",
  freeze: "freeze_layers",
  random_seed: "seed",
  lora_config: "lora",
  distill_from: "teacher",
};
const known: readonly string[] = Object.keys(TrainSettings.shape);
// What Hugging Face calls the same measure or schedule.
const values: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  metric_for_best_model: {
    eval_loss: "loss",
    eval_f1: "f1",
    eval_accuracy: "accuracy",
    macro_f1: "f1",
    f1_macro: "f1",
  },
};

/** The whole effective settings of a `config` object. INVALID_CONFIG with one FieldError per wrong entry. */
export function resolveSettings(config: Readonly<Record<string, unknown>>): TrainSettings {
  const resolved: Record<string, unknown> = {};
  const errors: FieldError[] = [];
  const givenAs = new Map<string, string>();
  for (const [key, value] of Object.entries(config)) {
    const name = Object.hasOwn(aliases, key) ? (aliases[key] ?? key) : key;
    const other = givenAs.get(name);
    if (!known.includes(name)) errors.push({ field: `config.${key.slice(0, 80)}`, message: unknownKey(key) });
    else if (other !== undefined && resolved[name] !== value)
      errors.push({ field: `config.${key}`, message: `says another value than ${other}, which means the same` });
    else {
      givenAs.set(name, key);
      resolved[name] = meant(name, value);
      if (key === "early_stopping_patience") resolved["early_stopping"] ??= true;
    }
  }
  const parsed = TrainSettings.safeParse(resolved);
  if (!parsed.success)
    errors.push(
      ...parsed.error.issues.map((issue) => ({
        field: `config.${givenAs.get(String(issue.path[0])) ?? issue.path.join(".")}`,
        message: issue.message,
      })),
    );
  const [first] = errors;
  if (parsed.success && !first) return parsed.data;
  throw new AppError("INVALID_CONFIG", `${first?.field}: ${first?.message}`, { errors });
}

const meant = (name: string, value: unknown): unknown => {
  const table = values[name];
  return table && typeof value === "string" && Object.hasOwn(table, value) ? table[value] : value;
};

function unknownKey(key: string): string {
  const near = nearest(key, [...known, ...Object.keys(aliases)]);
  return `unknown setting${near === undefined ? `; known are ${known.join(", ")}` : `; did you mean "${near}"?`}`;
}
