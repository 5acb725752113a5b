/** The program with every command of the folder; main.ts runs it, the reference pages print its help. */
import { readdirSync } from "node:fs";
import path from "node:path";
import { Command } from "commander";
import type { AddCommand } from "./command.ts";

export async function createProgram(): Promise<Command> {
  const program = new Command("mlsec")
    .description("Train, serve, attack and watch the classifiers that guard LLM applications.")
    .version("0.1.0")
    .showHelpAfterError("(add --help for usage)")
    .enablePositionalOptions()
    .exitOverride();
  const folder = path.join(import.meta.dirname, "commands");
  for (const file of readdirSync(folder).sort()) {
    if (!file.endsWith(".ts") || file.endsWith(".test.ts")) continue;
    const { add } = (await import(path.join(folder, file))) as { add: AddCommand };
    add(program);
  }
  for (const command of program.commands) command.exitOverride();
  return program;
}
