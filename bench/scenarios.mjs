/**
 * What is measured. `figures`: what is shown of each measurement, lower is better in all of them; those with a
 * `column` stand beside each other in one table. Scenarios of one `group` are counted once and stand as the
 * columns of one table. `rounds`: of the full run, and of the quick one, where 0 leaves the scenario out.
 * `warmUp`: chunks in bulk before a measurement, 2,000 where nothing is said. `without`: candidates that would take long here and tell little; they run where they are asked for by name.
 * The quick run leaves other people's clients out.
 */
const parsers = ['ag-ui', 'eventsource-client', 'fetch-event-source'];
const clients = ['ai-stream-text', 'langchain-openai', 'openai-create', 'openai-stream'];
const newest = ['ai-7-stream-text', 'langchain-openai-1.6', 'openai-7-create', 'openai-7-stream'];
export const peers = [...parsers, ...clients, ...newest];
/** Measured where the snapshots matter. */
const snapshots = ['library-accumulate'];

/** Chunks in bulk after which the engine has compiled what a turn runs: short scenarios show little else before. */
const warm = 200_000;

const cpu = [{ figure: 'cpu', unit: 'CPU µs per chunk' }];
const cpuAndRss = [...cpu, { figure: 'rss', unit: 'peak RSS growth, MiB' }];

const sizes = [1_000, 10_000, 100_000, 1_000_000];
/** Below, what the engine moves meanwhile is more than what a turn holds. */
const heldSizes = [100_000, 300_000, 1_000_000];
const columnOf = (count) => count.toLocaleString('en');
const growthOf = (figure, unit, measured) => [
  ...measured.map((size) => ({ figure: `${figure}${size}`, unit, column: columnOf(size) })),
  { figure: `${figure}Exponent`, unit, column: 'exponent' },
];

export const scenarios = [
  {
    name: 'bulk-20000',
    title: 'bulk, 20,000 chunks',
    kind: 'cpu',
    mode: 'bulk',
    chunks: 20_000,
    rounds: { full: 5, quick: 1 },
    without: [],
    figures: cpuAndRss,
  },
  {
    name: 'bulk-200000',
    title: 'bulk, 200,000 chunks',
    kind: 'cpu',
    mode: 'bulk',
    chunks: 200_000,
    rounds: { full: 5, quick: 0 },
    without: peers,
    figures: cpuAndRss,
  },
  {
    name: 'bulk-plain-20000',
    title: 'bulk, 20,000 chunks that differ in the text alone',
    kind: 'cpu',
    mode: 'bulk',
    chunks: 20_000,
    dialect: 'plain',
    rounds: { full: 5, quick: 0 },
    without: [...peers, ...snapshots],
    figures: cpu,
  },
  {
    name: 'recorded',
    title: 'recorded streams, one after another',
    kind: 'recorded',
    mode: 'recorded',
    passes: 3,
    rounds: { full: 3, quick: 0 },
    // ag-ui reads another protocol; the big clients refuse some of what was recorded.
    without: ['ag-ui', ...clients, ...newest, ...snapshots],
    figures: [{ figure: 'cpu', unit: 'CPU µs per stream' }],
  },
  {
    name: 'each-10000',
    title: 'one write per event, 10,000 chunks',
    kind: 'cpu',
    mode: 'each',
    chunks: 10_000,
    rounds: { full: 3, quick: 1 },
    without: [...newest, ...snapshots],
    figures: cpu,
  },
  // 20,000 reads a second may be more than one core has time for; 8,000 leave it some.
  ...[500, 200].flatMap((streams) => {
    const paced = { kind: 'paced', mode: 'paced', streams, skip: 20, rounds: { full: 3, quick: 0 } };
    return [
      {
        ...paced,
        name: `paced-${streams}`,
        title: `${streams} streams at once in a warm process, 300 chunks each, one every 25 ms`,
        chunks: 300,
        warmUp: warm,
        without: [...(streams === 500 ? peers : [...clients, ...newest]), ...snapshots],
        // A warm process has grown already, and what it has freed hides what it needs: RSS is the cold one's.
        figures: [
          ...cpu,
          { figure: 'p50', unit: 'ms from write to delta, median' },
          { figure: 'p99', unit: 'ms from write to delta, 99th percentile' },
        ],
      },
      {
        ...paced,
        name: `paced-${streams}-cold`,
        title: `${streams} streams at once in a fresh process, 100 chunks each, one every 25 ms`,
        chunks: 100,
        without: [...(streams === 500 ? newest : [...peers, 'rxjs-as-usually-written']), ...snapshots],
        figures: cpuAndRss,
      },
    ];
  }),
  {
    name: 'open-200',
    title: '200 streams in the middle of their answers',
    kind: 'open',
    mode: 'halted',
    chunks: 40,
    first: 50,
    streams: 200,
    warmUp: 20_000,
    rounds: { full: 3, quick: 0 },
    without: [...newest, ...snapshots],
    figures: [{ figure: 'memory', unit: 'KiB per open stream' }],
  },
  ...[
    {
      name: 'first-delta',
      title: 'short turns, one after another in a warm process: time to the first delta',
      turns: 6_000,
      warmUp: warm,
      rounds: { full: 3, quick: 0 },
      without: [...peers, ...snapshots],
    },
    {
      name: 'first-delta-cold',
      title: 'short turns, one after another in a fresh process: time to the first delta',
      turns: 1_000,
      rounds: { full: 3, quick: 1 },
      without: [],
    },
  ].map((scenario) => ({
    ...scenario,
    kind: 'firstDelta',
    mode: 'bulk',
    chunks: 20,
    figures: [{ figure: 'firstDelta', unit: 'ms' }],
  })),
  {
    name: 'import',
    title: 'import in a fresh process',
    kind: 'import',
    rounds: { full: 9, quick: 2 },
    yardstick: 'rxjs',
    figures: [
      { figure: 'import', unit: 'ms' },
      { figure: 'cpu', unit: 'CPU ms' },
    ],
  },
  ...[20, 300].map((turns) => ({
    name: `sockets-${turns}`,
    group: 'turns, one after another, whose body ends 5 ms after [DONE]',
    column: `${turns} turns`,
    kind: 'sockets',
    mode: 'late',
    chunks: 20,
    turns,
    rounds: turns === 20 ? { full: 0, quick: 1 } : { full: 1, quick: 0 },
    without: [...newest, ...snapshots],
    figures: [{ figure: 'connections', unit: 'connections opened' }],
  })),
  ...[20_000, 50_000, 200_000].map((chunks) => ({
    name: `memory-${chunks}`,
    group: 'memory while the text grows',
    column: `${columnOf(chunks)} chunks`,
    kind: 'memory',
    mode: 'held',
    chunks,
    rounds: { full: 1, quick: chunks === 20_000 ? 1 : 0 },
    without: chunks === 20_000 ? newest : [...clients, ...newest],
    figures: [
      { figure: 'growing', unit: 'bytes per chunk, all text received, before [DONE]', per: chunks },
      { figure: 'kept', unit: 'bytes per chunk, kept with the result', per: chunks },
      { figure: 'peak', unit: 'MiB at the highest, network buffers included', per: 2 ** 20 },
    ],
  })),
  {
    name: 'growth',
    title: 'turns of 1,000 to 1,000,000 chunks',
    kind: 'growth',
    sizes,
    heldSizes,
    warmUp: 100_000,
    rounds: { full: 1, quick: 0 },
    without: [...peers, 'hand-written-node-http', 'library-node', 'library-events'],
    figures: [
      ...growthOf('cpu', 'CPU µs per chunk', sizes),
      ...growthOf('memory', 'bytes per chunk, all text received, before [DONE]', heldSizes),
    ],
  },
  {
    name: 'stages',
    title: 'each stage alone, in memory',
    kind: 'stages',
    stages: (name) => !/^(compose|run|calls):/.test(name),
    rounds: { full: 3, quick: 1 },
    yardstick: 'by hand: JSON.parse',
    figures: [{ figure: 'ns', unit: 'CPU ns per event' }],
  },
  {
    name: 'compose',
    title: 'what an operator that watches over a turn adds when nothing goes wrong, in memory',
    kind: 'stages',
    stages: (name) => name.startsWith('compose'),
    rounds: { full: 5, quick: 1 },
    yardstick: 'compose: map()',
    figures: [{ figure: 'ns', unit: 'CPU ns per event' }],
  },
  {
    name: 'run-events',
    title: 'what a run adds to an event, 20 turns with 50,000 deltas in all, in memory',
    kind: 'stages',
    stages: (name) => name.startsWith('run:'),
    rounds: { full: 5, quick: 1 },
    yardstick: 'run: map() and reduceTurn()',
    figures: [{ figure: 'ns', unit: 'CPU ns per event' }],
  },
  {
    name: 'run-calls',
    title: 'a call of a tool that does nothing, one of 1,000 in a turn, in memory',
    kind: 'stages',
    stages: (name) => name.startsWith('calls:'),
    rounds: { full: 5, quick: 1 },
    yardstick: 'calls: by hand',
    figures: [{ figure: 'ns', unit: 'CPU ns per call' }],
  },
];

/** What is imported where imports are measured: this package's entries by their files, others by name. */
export const imports = [
  { name: 'rxjs' },
  { name: 'library', entry: 'index.js' },
  { name: 'library/node', entry: 'node/index.js' },
  { name: 'eventsource-parser' },
  ...['@microsoft/fetch-event-source', 'eventsource-client', '@ag-ui/client'].map((name) => ({ name })),
  ...['openai', 'openai-7', '@langchain/openai', 'langchain-openai-1.6', 'ai', 'ai-7'].map((name) => ({
    name,
  })),
];
