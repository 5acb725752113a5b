// How much may wait: beyond it callers are told to come back, so that the queue never grows without end.
import { AppError } from "@mlsec/contracts";

export interface Admission {
  /** Counts the texts in until `leave` is called; OVERLOADED when too much waits. One request alone is always let in. */
  enter(texts: readonly string[]): { leave(): void };
  readonly waiting: number;
}

export function createAdmission(limit: number): Admission {
  let waiting = 0;
  return {
    enter(texts) {
      const cost = texts.reduce((sum, { length }) => sum + 1 + Math.floor(length / 1000), 0);
      if (waiting > 0 && waiting + cost > limit)
        throw new AppError("OVERLOADED", "too many texts wait for a verdict; try again in a second", {
          retryAfterSeconds: 1,
        });
      waiting += cost;
      return {
        leave: () => {
          waiting -= cost;
        },
      };
    },
    get waiting() {
      return waiting;
    },
  };
}
