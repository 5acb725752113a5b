// Server-sent events from an async iterable, with a comment every 15 seconds so that nothing between takes it for dead.
import type { ServerEvent } from "@mlsec/contracts";

const beatMs = 15_000;

/** Ends when the iterable ends or the signal aborts; the iterable's `return` always runs. */
export function eventStream(
  events: AsyncIterable<ServerEvent>,
  signal: AbortSignal,
  onError: (error: unknown) => void,
): Response {
  const encoder = new TextEncoder();
  const iterator = events[Symbol.asyncIterator]();
  let beat: NodeJS.Timeout | undefined;
  let over = false;
  const end = (): void => {
    over = true;
    clearInterval(beat);
    void Promise.resolve(iterator.return?.()).catch(onError);
  };
  const body = new ReadableStream<Uint8Array>({
    start(controller) {
      const close = (): void => {
        if (over) return;
        end();
        controller.close();
      };
      controller.enqueue(encoder.encode(": open\n\n"));
      beat = setInterval(() => controller.enqueue(encoder.encode(": beat\n\n")), beatMs);
      if (signal.aborted) close();
      else signal.addEventListener("abort", close, { once: true });
    },
    async pull(controller) {
      try {
        const next = await iterator.next();
        if (over) return;
        if (!next.done) return controller.enqueue(encoder.encode(format(next.value)));
      } catch (error) {
        if (over) return;
        onError(error);
      }
      end();
      controller.close();
    },
    cancel: end,
  });
  return new Response(body, {
    headers: { "content-type": "text/event-stream", "cache-control": "no-store", "x-accel-buffering": "no" },
  });
}

function format({ event, data, id }: ServerEvent): string {
  const name = event.replace(/[\r\n]/g, " ");
  const label = id === undefined ? "" : `id: ${id.replace(/[\r\n]/g, " ")}\n`;
  return `${label}event: ${name}\ndata: ${JSON.stringify(data)}\n\n`;
}
