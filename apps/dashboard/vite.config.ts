import react from "@vitejs/plugin-react";
import { defineConfig } from "vite";

// During development the running system answers `/api` (npm start first, then npx vite here).
export default defineConfig({
  plugins: [react()],
  build: { target: "es2022", chunkSizeWarningLimit: 900, assetsInlineLimit: 0 },
  worker: { format: "es" },
  server: {
    port: 5173,
    proxy: {
      "/api": { target: "http://127.0.0.1:8501", changeOrigin: true, headers: { origin: "http://127.0.0.1:8501" } },
    },
  },
});
