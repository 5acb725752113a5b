// The one file that reads process.env.
import { type Config, parseConfig } from "./config.ts";
import type { Environment } from "./slice.ts";

/** The configuration of this process; INVALID_CONFIG when a value is wrong. */
export const loadConfig = (): Config => parseConfig(process.env);

/** What a child process inherits, with additions. */
export const childEnvironment = (additions: Environment = {}): NodeJS.ProcessEnv => ({ ...process.env, ...additions });
