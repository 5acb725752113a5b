/** The calls that every service answers. */
import * as z from "zod";
import { Timestamp } from "./fields.ts";
import { route } from "./route.ts";

export const Health = z
  .object({ status: z.literal("ok"), service: z.string(), version: z.string(), uptime_seconds: z.number() })
  .meta({ id: "Health" });
export type Health = z.infer<typeof Health>;

export const Check = z.object({ status: z.enum(["ok", "down"]), detail: z.string().optional() }).meta({ id: "Check" });
export const Ready = z
  .object({ ready: z.boolean(), service: z.string(), checked_at: Timestamp, checks: z.record(z.string(), Check) })
  .meta({ id: "Ready" });
export type Ready = z.infer<typeof Ready>;

/** Answered by the HTTP layer itself, on every port but object storage. */
export const everyService = {
  health: route({
    method: "GET",
    path: "/health",
    summary: "The process is alive",
    scope: "open",
    responses: { 200: Health },
  }),
  ready: route({
    method: "GET",
    path: "/ready",
    summary: "Models loaded, database reachable; 503 while not",
    scope: "open",
    responses: { 200: Ready, 503: Ready },
  }),
  metrics: route({
    method: "GET",
    path: "/metrics",
    summary: "Prometheus text",
    scope: "open",
    kind: "file",
    responses: { 200: z.string() },
  }),
};
