import { defineConfig } from "vitest/config";

// Forks, not threads: ending a worker thread while ONNX Runtime runs aborts the process.
const limits = { pool: "forks", testTimeout: 60_000, hookTimeout: 120_000 } as const;

export default defineConfig({
  test: {
    maxWorkers: 2,
    projects: [
      {
        test: {
          ...limits,
          name: "packages",
          include: ["packages/**/*.test.ts", "apps/{cli,dashboard}/**/*.test.{ts,tsx}", "test/rooms.test.ts"],
        },
      },
      // These share one PostgreSQL per run; the others need none and do not wait for it.
      {
        test: {
          ...limits,
          name: "system",
          include: ["apps/server/**/*.test.ts", "test/**/*.test.ts"],
          exclude: ["test/rooms.test.ts"],
          globalSetup: ["apps/server/src/testing/server.ts"],
        },
      },
    ],
  },
});
