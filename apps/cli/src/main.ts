/** `mlsec`, the command line: a thin client of the services, and the engine itself when no server runs. */
import { AppError } from "@mlsec/contracts";
import { CommanderError } from "commander";
import { createProgram } from "./program.ts";
import { note, paint } from "./terminal.ts";

// A reader that closes early (`| head`) is no error.
process.stdout.on("error", (error: NodeJS.ErrnoException) => process.exit(error.code === "EPIPE" ? 0 : 2));

try {
  await (await createProgram()).parseAsync();
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
