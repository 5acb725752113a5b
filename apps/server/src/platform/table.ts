// The one thing a start prints: where everything is, what is embedded, and how to point it elsewhere.
import { type ServiceName, serviceNames, services } from "@mlsec/contracts";
import { addressName } from "./config/config.ts";
import type { LiveStatus, ServiceState } from "./live.ts";

interface Facts {
  readonly seconds: number;
  readonly keyless: boolean;
  readonly addresses: Readonly<Partial<Record<ServiceName, string>>>;
}

export function startTable(live: LiveStatus, { seconds, keyless, addresses }: Facts): string {
  const states = new Map(live.services().map((state) => [state.name, state]));
  const rows = serviceNames.flatMap((name) => row(name, states.get(name), addresses[name]));
  const parts = live
    .parts()
    .map((part) => [part.name, part.address, part.embedded ? embedded(part.settings) : `external; ${part.settings}`]);
  const off = [...states.values()].filter((state) => state.state === "off").length;
  const lines = [
    "",
    `ML Security Service is ready after ${seconds.toFixed(1)} s${off > 0 ? `, ${off} ${off === 1 ? "service" : "services"} off` : ""}.`,
    "",
    ...columns(rows),
    "",
    ...columns(parts),
    "",
    ...(keyless ? ["MLSEC_KEYLESS=1: whoever reaches these ports is answered without a key.", ""] : []),
    "Ctrl-C stops it.",
    "",
  ];
  return `${lines.join("\n")}\n`;
}

const embedded = (settings: string): string =>
  settings === "" ? "embedded" : `embedded; a server of your own: ${settings}`;

function row(name: ServiceName, state: ServiceState | undefined, elsewhere: string | undefined): string[][] {
  const { title, summary } = services[name];
  if (state?.state === "off") return [[title, "off", state.detail ?? ""]];
  if (state) return [[title, state.url, summary]];
  return elsewhere === undefined ? [] : [[title, elsewhere, `elsewhere (${addressName(name)})`]];
}

function columns(rows: readonly (readonly string[])[]): string[] {
  const widths = [0, 1].map((i) => Math.max(0, ...rows.map((cells) => (cells[i] ?? "").length)));
  return rows.map((cells) => `  ${cells.map((cell, i) => cell.padEnd(widths[i] ?? 0)).join("  ")}`.trimEnd());
}
