import { expect, test } from "vitest";
import { resolveSettings } from "./settings.ts";

test("Hugging Face's names and values mean ours", () => {
  const settings = resolveSettings({
    num_train_epochs: 5,
    per_device_train_batch_size: 8,
    lr_scheduler_type: "cosine",
    early_stopping_patience: 3,
    metric_for_best_model: "eval_loss",
  });
  expect(settings).toMatchObject({
    epochs: 5,
    batch_size: 8,
    lr_scheduler: "cosine",
    early_stopping: true,
    patience: 3,
    metric_for_best_model: "loss",
    learning_rate: 2e-5,
  });
});

test("every wrong entry is named as it was written", () => {
  const wrong = () => resolveSettings({ num_epochs: 0, batchsize: 4, weight_decay: "much" });
  expect(wrong).toThrow(
    expect.objectContaining({
      code: "INVALID_CONFIG",
      details: {
        errors: [
          { field: "config.batchsize", message: 'unknown setting; did you mean "batch_size"?' },
          { field: "config.num_epochs", message: expect.any(String) },
          { field: "config.weight_decay", message: expect.any(String) },
        ],
      },
    }),
  );
});

test("the same value under two names is fine, another is not", () => {
  expect(resolveSettings({ lr: 0.1, learning_rate: 0.1 }).learning_rate).toBe(0.1);
  expect(() => resolveSettings({ lr: 0.1, learning_rate: 0.2 })).toThrow(
    expect.objectContaining({ code: "INVALID_CONFIG" }),
  );
});

test("low-rank and adversarial training by name or in full", () => {
  expect(resolveSettings({ lora: true, adversarial: "pgd" })).toMatchObject({
    lora: { rank: 8, alpha: 16 },
    adversarial: { method: "pgd", epsilon: 1, steps: 3 },
    precision: "float32",
    teacher: null,
  });
  expect(resolveSettings({ lora: false }).lora).toBeNull();
  expect(resolveSettings({ lora: { rank: 4 } }).lora).toEqual({ rank: 4, alpha: 16 });
  for (const wrong of [{ lora: { rank: 0 } }, { adversarial: { method: "gan" } }, { precision: "int4" }])
    expect(() => resolveSettings(wrong)).toThrow(expect.objectContaining({ code: "INVALID_CONFIG" }));
});
