import { expect, test } from "vitest";
import { parseName, slotOf, unknownModel } from "./names.ts";

test("the spellings of a trained model are one model", () => {
  for (const asked of ["distilbert", "distilbert_trained", "security_distilbert", "security_distilbert_trained"])
    expect(parseName(asked)).toEqual({ name: "distilbert", form: "trained" });
  expect(slotOf(parseName("distilbert_trained@2"))).toBe("distilbert@2");
});

test("the bare encoder, folders and hub models are told apart", () => {
  expect(parseName("roberta-base_pretrained")).toEqual({ name: "roberta-base", form: "pretrained" });
  expect(slotOf(parseName("roberta-base_pretrained"))).toBe("roberta-base_pretrained");
  expect(parseName("file:guards/x_trained")).toEqual({ name: "file:guards/x_trained", form: "file" });
  expect(parseName("hf:owner/repo@main")).toEqual({ name: "hf:owner/repo@main", form: "hub" });
});

test("names made of nothing but affixes stay names", () => {
  expect(parseName("_trained").name).toBe("_trained");
  expect(parseName("security_").name).toBe("security_");
});

test("an unknown name is answered with the nearest one", () => {
  const error = unknownModel("distilbrt_trained", ["linear", "distilbert"]);
  expect(error.code).toBe("MODEL_NOT_FOUND");
  expect(error.message).toContain('did you mean "distilbert"?');
  expect(unknownModel("zzzzzzzzzzzz", ["linear"]).message).not.toContain("did you mean");
});
