/** How long a check may take, in milliseconds. Reached only where something hangs. */
export const limit = 60_000;

/** Something to wait for, until it is opened. */
export function gate() {
  let open;
  const opened = new Promise((resolve) => (open = resolve));
  return { open, opened };
}

/** The pieces of an answer; a promise among them is waited for. */
export async function* pieces(...steps) {
  for (const step of steps)
    if (step instanceof Promise) await step;
    else yield step;
}

/** Waits for what must end within the limit. */
export async function within(promise) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`It has not ended within ${limit} ms.`)), limit);
  });
  await Promise.race([promise, late]).finally(() => clearTimeout(timer));
}
