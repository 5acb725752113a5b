/** Models from the hub into the data folder, where the server looks for them too. */
import { AppError } from "@mlsec/contracts";
import type { DownloadedModel, HubProgress } from "@mlsec/engine";
import { SingleBar } from "cli-progress";
import { hub } from "./settings.ts";

/** A checkpoint of the engine's list by its short name, or `hf:owner/repo[@revision]`. */
export interface HubSource {
  readonly repository: string;
  readonly revision: string;
}

/** Undefined for a name that is neither. */
export async function sourceOf(name: string): Promise<HubSource | undefined> {
  const [, repository, revision = "main"] = /^(?:hf:)?([\w.-]+\/[\w.-]+)(?:@([\w./-]+))?$/.exec(name) ?? [];
  if (repository !== undefined) return { repository, revision };
  const { MODEL_CONFIGS } = await import("@mlsec/engine");
  return Object.hasOwn(MODEL_CONFIGS, name) ? MODEL_CONFIGS[name] : undefined;
}

/** Fetches a model, drawing its progress; Ctrl-C stops it, and the next call goes on where it was. */
export async function pull({ repository, revision }: HubSource, isQuiet: boolean): Promise<DownloadedModel> {
  const { downloadModel, EngineError } = await import("@mlsec/engine");
  const bar = new SingleBar({
    format: "{file} [{bar}] {percentage}%  {done} of {total} MB  {speed}",
    barsize: 24,
    hideCursor: true,
    noTTYOutput: false,
    stream: process.stderr,
  });
  const stop = new AbortController();
  const onInterrupt = (): void => stop.abort();
  process.on("SIGINT", onInterrupt);
  const draw = isQuiet ? () => undefined : drawOn(bar);
  try {
    return await downloadModel({ ...hub(), repository, revision, signal: stop.signal, onProgress: draw });
  } catch (error) {
    if (!(error instanceof EngineError)) throw error;
    const code = error.code === "CANCELLED" ? "CANCELLED" : "WEIGHTS_UNREACHABLE";
    throw new AppError(code, `${repository}@${revision}: ${error.message}`, {}, { cause: error });
  } finally {
    bar.stop();
    process.off("SIGINT", onInterrupt);
  }
}

function drawOn(bar: SingleBar): (progress: HubProgress) => void {
  let began: { readonly at: number; readonly bytes: number } | undefined;
  return ({ file, doneBytes, totalBytes }) => {
    if (!began) bar.start(totalBytes, doneBytes, fields({ file, doneBytes, totalBytes, perSecond: 0 }));
    began ??= { at: performance.now(), bytes: doneBytes };
    const seconds = (performance.now() - began.at) / 1000;
    const perSecond = seconds > 0.5 ? (doneBytes - began.bytes) / seconds : 0;
    bar.setTotal(totalBytes);
    bar.update(doneBytes, fields({ file, doneBytes, totalBytes, perSecond }));
  };
}

interface Drawn extends Pick<HubProgress, "file" | "doneBytes" | "totalBytes"> {
  readonly perSecond: number;
}
const fields = ({ file, doneBytes, totalBytes, perSecond }: Drawn): Record<string, string> => ({
  file: file.slice(0, 40).padEnd(22),
  done: (doneBytes / 1e6).toFixed(1),
  total: (totalBytes / 1e6).toFixed(1),
  speed: perSecond > 0 ? `${(perSecond / 1e6).toFixed(1)} MB/s` : "",
});
