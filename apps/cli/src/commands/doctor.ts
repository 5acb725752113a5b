/** `mlsec doctor`: what could keep the system from running, and what to do about it. */
import { type AddCommand, finish } from "../command.ts";
import { type Check, checks } from "../doctor.ts";
import { paint, print, printJson } from "../terminal.ts";

export const add: AddCommand = (program) => {
  program
    .command("doctor")
    .summary("check ports, disk, memory, dependencies and weights")
    .description(
      "Checks what the system needs and says what to do. Exit code: 0 fine or warnings only, 1 something is wrong.",
    )
    .option("--json", "print JSON")
    .action(async ({ json }: { json?: boolean }) => {
      const results: Check[] = [];
      for (const check of checks) results.push(...(await check()));
      if (json) printJson(results);
      else for (const r of results) print(line(r));
      finish(results.some((r) => r.status === "wrong") ? 1 : 0);
    });
};

const marks = { fine: paint("green", "fine "), warning: paint("yellow", "warn "), wrong: paint("red", "wrong") };
const line = (r: Check): string =>
  `${marks[r.status]}  ${r.name.padEnd(26)} ${r.detail}${r.todo ? `\n       ${paint("bold", "→")} ${r.todo}` : ""}`;
