/** Lets whatever waits run before the caller goes on. */

/**
 * The next turn of the event loop: after what has arrived already, without a timer's delay where there is `setImmediate`.
 * @example
 * await nextTurn();
 */
export function nextTurn(): Promise<void> {
  return new Promise((resolve) => {
    if (typeof setImmediate === "function") setImmediate(resolve);
    else setTimeout(resolve, 0);
  });
}
