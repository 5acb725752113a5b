import { join } from "node:path";
import { expect, test } from "vitest";
import { EngineError } from "../error.ts";
import { references } from "../testing/references.ts";
import { checkProvider } from "./open.ts";
import { createSession } from "./session.ts";

test("a provider that cannot be had is refused in one line that names what is missing, never replaced", async () => {
  await checkProvider("cpu");
  const refusal: unknown = await checkProvider("cuda").catch((error: unknown) => error);
  if (refusal === undefined) return; // a machine with CUDA
  expect(refusal).toBeInstanceOf(EngineError);
  const { code, message } = refusal as EngineError;
  expect(code).toBe("CONFIG");
  expect(message).toMatch(/^the execution provider cuda is not available: .{10,}$/);
  const folder = join(references, "distilbert");
  await expect(createSession(folder, { precision: "fp32", provider: "cuda" })).rejects.toMatchObject({ code, message });
});
