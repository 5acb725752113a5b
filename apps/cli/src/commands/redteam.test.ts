import { expect, test } from "vitest";
import { createProgram } from "../program.ts";
import { reportFormat } from "../red-team.ts";
import { exitCode } from "./redteam.ts";

const completed = { status: "completed", errored: 0, total: 100 } as const;

test("the exit code: 0 below, 1 at or above, 2 for an error or too many without an answer", () => {
  const medium = [{ severity: "medium" as const }];
  expect(exitCode(completed, medium, "high")).toBe(0);
  expect(exitCode(completed, medium, "medium")).toBe(1);
  expect(exitCode(completed, medium, "low")).toBe(1);
  expect(exitCode(completed, [], "low")).toBe(0);
  expect(exitCode(completed, [{ severity: "critical" }], "never")).toBe(0);
  expect(exitCode({ ...completed, errored: 5 }, [], "low")).toBe(0);
  expect(exitCode({ ...completed, errored: 6 }, [], "never")).toBe(2);
  expect(exitCode({ ...completed, status: "failed" }, medium, "low")).toBe(2);
});

test("the report's format follows the file's ending", () => {
  expect(["a.html", "b.jsonl", "c.json", "d.junit.xml", "e.sarif", "f.x.md"].map(reportFormat)).toEqual([
    ...["html", "jsonl", "json", "junit.xml", "sarif", "md"],
  ]);
  expect(() => reportFormat("a.pdf")).toThrow(/--report a.pdf/);
});

test("an option after a subcommand is the subcommand's", async () => {
  const program = await createProgram();
  const redteam = program.commands.find((command) => command.name() === "redteam") ?? expect.fail();
  const seen: unknown[] = [];
  const list = redteam.commands.find((command) => command.name() === "findings") ?? expect.fail();
  list.action((options: unknown) => void seen.push(options));
  await program.parseAsync(["redteam", "findings", "--target", "linear", "--limit", "1", "--json"], { from: "user" });
  expect(seen).toEqual([{ target: "linear", limit: "1", json: true }]);
});
