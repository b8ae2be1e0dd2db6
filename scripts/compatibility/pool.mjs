/** Runs jobs in the order in which they were given, no more than `size` of them at once. */
export function pool(size) {
  const waiting = [];
  let free = size;
  return async (job) => {
    if (free === 0) await new Promise((resolve) => waiting.push(resolve));
    else free -= 1;
    try {
      return await job();
    } finally {
      // The place is handed on rather than freed, so that no later job slips in.
      const next = waiting.shift();
      if (next === undefined) free += 1;
      else next();
    }
  };
}
