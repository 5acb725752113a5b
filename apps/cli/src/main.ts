/** `mlsec`, the command line: a thin client of the services, and the engine itself when no server runs. */
import { AppError } from "@mlsec/contracts";
import { Command, CommanderError } from "commander";
import { readdirSync } from "node:fs";
import path from "node:path";
import type { AddCommand } from "./command.ts";
import { note, paint } from "./terminal.ts";

const program = new Command("mlsec")
  .description("Train, serve, attack and watch the classifiers that guard LLM applications.")
  .version("0.1.0")
  .showHelpAfterError("(add --help for usage)")
  .exitOverride();

const folder = path.join(import.meta.dirname, "commands");
for (const file of readdirSync(folder).sort()) {
  if (!file.endsWith(".ts") || file.endsWith(".test.ts")) continue;
  const { add } = (await import(path.join(folder, file))) as { add: AddCommand };
  add(program);
}
for (const command of program.commands) command.exitOverride();

// A reader that closes early (`| head`) is no error.
process.stdout.on("error", (error: NodeJS.ErrnoException) => process.exit(error.code === "EPIPE" ? 0 : 2));

try {
  await program.parseAsync();
} catch (error) {
  process.exitCode = explain(error);
}

function explain(error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
  if (error instanceof AppError && error.code === "UNAVAILABLE")
    note(`${paint("red", "error:")} ${error.message}. Start the system with: npm start`);
  else note(`${paint("red", "error:")} ${error instanceof Error ? error.message : String(error)}`);
  if (error instanceof AppError && Array.isArray(error.details["errors"])) {
    for (const field of error.details["errors"] as { field: string; message: string }[])
      note(`  ${field.field}: ${field.message}`);
  }
  return 2;
}
