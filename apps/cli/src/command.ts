/** A command: one file in commands/, found by its folder. */
import type { Command } from "commander";

/** Adds itself to the program. Exit codes: 0 fine, 1 a finding (an attack, a failed test), 2 an error. */
export type AddCommand = (program: Command) => void;

/** Ends a command with this exit code, output flushed. */
export const finish = (code: 0 | 1 | 2 | 130): void => {
  process.exitCode = code;
};
