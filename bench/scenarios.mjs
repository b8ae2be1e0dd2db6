/**
 * What is measured. `figures`: what is shown of each measurement, lower is better in all of them.
 * Scenarios of one `group` are counted once and stand as the columns of one table. `quick: false`
 * stands only in the full run.
 */
const cpu = [{ figure: 'cpu', unit: 'CPU µs per chunk' }];
const cpuAndRss = [...cpu, { figure: 'rss', unit: 'peak RSS growth, MiB' }];

export const scenarios = [
  {
    name: 'bulk-20000',
    title: 'bulk, 20,000 chunks',
    kind: 'cpu',
    mode: 'bulk',
    chunks: 20_000,
    figures: cpuAndRss,
  },
  {
    name: 'bulk-200000',
    title: 'bulk, 200,000 chunks',
    kind: 'cpu',
    mode: 'bulk',
    chunks: 200_000,
    quick: false,
    figures: cpuAndRss,
  },
  {
    name: 'bulk-plain-20000',
    title: 'bulk, 20,000 chunks that differ in the text alone',
    kind: 'cpu',
    mode: 'bulk',
    chunks: 20_000,
    dialect: 'plain',
    quick: false,
    figures: cpu,
  },
  {
    name: 'each-10000',
    title: 'one write per event, 10,000 chunks',
    kind: 'cpu',
    mode: 'each',
    chunks: 10_000,
    figures: cpu,
  },
  {
    name: 'paced-200',
    title: '200 streams at once, 100 chunks each, one every 25 ms',
    kind: 'cpu',
    mode: 'paced',
    chunks: 100,
    streams: 200,
    quick: false,
    figures: cpu,
  },
  {
    name: 'first-delta',
    title: 'short turns, one after another: time to the first delta',
    kind: 'firstDelta',
    mode: 'bulk',
    chunks: 20,
    turns: 200,
    figures: [{ figure: 'firstDelta', unit: 'ms' }],
  },
  ...[20, 300].map((turns) => ({
    name: `sockets-${turns}`,
    group: 'turns, one after another, whose body ends 5 ms after [DONE]',
    column: `${turns} turns`,
    kind: 'sockets',
    mode: 'late',
    chunks: 20,
    turns,
    quick: turns === 20,
    figures: [{ figure: 'connections', unit: 'connections opened' }],
  })),
  ...[20_000, 50_000, 100_000, 200_000].map((chunks) => ({
    name: `memory-${chunks}`,
    group: 'memory while the text grows',
    column: `${chunks.toLocaleString('en')} chunks`,
    kind: 'memory',
    mode: 'held',
    chunks,
    quick: chunks <= 50_000,
    figures: [
      { figure: 'growing', unit: 'bytes per chunk, all text received, before [DONE]', per: chunks },
      { figure: 'kept', unit: 'bytes per chunk, kept with the result', per: chunks },
      { figure: 'peak', unit: 'MiB at the highest, network buffers included', per: 2 ** 20 },
    ],
  })),
];
