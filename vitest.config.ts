import { defineConfig } from "vitest/config";

// Forks, not threads: ending a worker thread while ONNX Runtime runs aborts the process.
export default defineConfig({
  test: {
    pool: "forks",
    maxWorkers: 2,
    include: ["packages/**/*.test.ts", "apps/**/*.test.ts", "test/**/*.test.ts"],
    testTimeout: 60_000,
    hookTimeout: 120_000,
  },
});
