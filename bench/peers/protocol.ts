/** The Node side of peers/protocol.py: one JSON line in, one JSON line out. What a library prints goes to stderr. */
import { createInterface } from "node:readline";

type Call = (details: never) => unknown;

/** Answers calls one after another until the input ends. */
export async function serve(versions: Readonly<Record<string, string>>, calls: Readonly<Record<string, Call>>) {
  const write = process.stdout.write.bind(process.stdout);
  console.log = console.error;
  const reply = (message: unknown): boolean => write(`${JSON.stringify(message)}\n`);
  reply({ ready: versions });
  for await (const line of createInterface({ input: process.stdin })) {
    const { call, ...details } = JSON.parse(line) as { call: string };
    try {
      const answer = await calls[call]?.(details as never);
      reply({ answer: answer ?? null });
    } catch (error) {
      reply({ error: error instanceof Error ? error.message : String(error) });
    }
  }
}
