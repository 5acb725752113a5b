/**
 * Clients over loopback HTTP: each keeps one connection, sends a request, waits for its answer, sends the next. Raw
 * sockets with requests made beforehand, so that the generator takes as little as it can of the two cores.
 */
import { connect, type Socket } from "node:net";
import { percentile } from "../measure.ts";
import { serve } from "./protocol.ts";

interface Load {
  readonly port: number;
  readonly texts: readonly string[];
  readonly clients: number;
  readonly model: string;
}

function request({ port, model }: Load, text: string): Buffer {
  const body = Buffer.from(JSON.stringify({ text, model_name: model }));
  const head = `POST /predict HTTP/1.1\r\nhost: 127.0.0.1:${port}\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n`;
  return Buffer.concat([Buffer.from(head), body]);
}

const headEnd = Buffer.from("\r\n\r\n");
const chunksEnd = Buffer.from("0\r\n\r\n");

/** Bytes of the first answer in `data`, or -1 when it is not complete. */
function answerLength(data: Buffer): number {
  const end = data.indexOf(headEnd);
  if (end < 0) return -1;
  const head = data.toString("latin1", 0, end).toLowerCase();
  const body = end + headEnd.length;
  const length = /content-length: (\d+)/.exec(head)?.[1];
  if (length !== undefined) return body + Number(length) <= data.length ? body + Number(length) : -1;
  const last = data.indexOf(chunksEnd, body);
  return last < 0 ? -1 : last + chunksEnd.length;
}

/** One client that takes requests from the common list until it is empty. */
function client(load: Load, next: () => Buffer | undefined, note: (ms: number, status: number) => void): Promise<void> {
  return new Promise((done, fail) => {
    const socket: Socket = connect({ port: load.port, host: "127.0.0.1", noDelay: true });
    let waiting = Buffer.alloc(0);
    let sentAt = 0;
    const send = (): void => {
      const bytes = next();
      if (bytes === undefined) {
        socket.end();
        return;
      }
      sentAt = performance.now();
      socket.write(bytes);
    };
    socket.once("connect", send);
    socket.on("data", (chunk: Buffer) => {
      waiting = waiting.length === 0 ? Buffer.from(chunk) : Buffer.concat([waiting, chunk]);
      const length = answerLength(waiting);
      if (length < 0) return;
      note(performance.now() - sentAt, Number(waiting.toString("latin1", 9, 12)));
      waiting = waiting.subarray(length);
      send();
    });
    socket.once("error", fail);
    socket.once("close", () => done());
  });
}

await serve(
  { node: process.version },
  {
    /** Sends every text once; verdicts a second, latencies in milliseconds, answers that are not 200. */
    async run(load: Load) {
      const requests = load.texts.map((text) => request(load, text));
      const latencies: number[] = [];
      let at = 0;
      let errors = 0;
      const note = (ms: number, status: number): void => {
        latencies.push(ms);
        if (status !== 200) errors++;
      };
      const began = performance.now();
      await Promise.all(Array.from({ length: load.clients }, () => client(load, () => requests[at++], note)));
      const seconds = (performance.now() - began) / 1000;
      const lost = requests.length - latencies.length;
      return {
        perSecond: (latencies.length - errors) / seconds,
        p50Ms: percentile(latencies, 0.5),
        p99Ms: percentile(latencies, 0.99),
        errors: errors + lost,
      };
    },
  },
);
