/** Numbers, times and names as people read them. */
const number = new Intl.NumberFormat("en", { maximumFractionDigits: 1 });
const compact = new Intl.NumberFormat("en", { notation: "compact", maximumFractionDigits: 1 });

export const dash = "–";
export const count = (n: number): string => (n < 10_000 ? number.format(n) : compact.format(n));
export const percent = (share: number | null | undefined): string => {
  if (share === null || share === undefined) return dash;
  const p = share * 100;
  return `${p === 0 || p === 100 ? p : p.toFixed(1)} %`;
};
export const millis = (ms: number | null | undefined): string =>
  ms === null || ms === undefined
    ? dash
    : ms < 10
      ? `${ms.toFixed(1)} ms`
      : ms < 1000
        ? `${Math.round(ms)} ms`
        : `${(ms / 1000).toFixed(1)} s`;
export const bytes = (n: number): string =>
  n === 0 ? dash : n < 1024 ** 2 ? `${Math.ceil(n / 1024)} kB` : `${(n / 1024 ** 2).toFixed(1)} MB`;
export const decimals = (n: number | null | undefined, digits = 3): string =>
  n === null || n === undefined ? dash : n.toFixed(digits);

/** `prompt_injection` → `Prompt injection`. */
export const title = (id: string): string => {
  const words = id.replaceAll(/[_-]/g, " ");
  return words.charAt(0).toUpperCase() + words.slice(1);
};

export const clock = (iso: string): string =>
  new Date(iso).toLocaleTimeString("en-GB", { hour: "2-digit", minute: "2-digit" });
export const dateTime = (iso: string): string =>
  new Date(iso).toLocaleString("en-GB", { day: "numeric", month: "short", hour: "2-digit", minute: "2-digit" });

/** How long ago, in the largest unit that fits. */
export function ago(iso: string, now = Date.now()): string {
  const seconds = Math.max(0, Math.round((now - Date.parse(iso)) / 1000));
  if (seconds < 60) return "just now";
  const [value, unit] =
    seconds < 3600 ? [seconds / 60, "min"] : seconds < 86_400 ? [seconds / 3600, "h"] : [seconds / 86_400, "d"];
  return `${Math.round(value)} ${unit} ago`;
}

export function duration(fromIso: string | null, toIso: string | null, now = Date.now()): string {
  if (!fromIso) return dash;
  const seconds = Math.max(0, Math.round(((toIso ? Date.parse(toIso) : now) - Date.parse(fromIso)) / 1000));
  return seconds < 60 ? `${seconds} s` : `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
}
