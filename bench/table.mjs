/**
 * The tables out of results.json: prints them, with `--write` puts them into docs/benchmark.md between `<!-- bench -->`
 * and `<!-- /bench -->` and into bench/README.md between `<!-- aims -->` and `<!-- /aims -->`, with `--check`
 * fails where those have others. `--node MAJOR` chooses the run of the first, else it is the one with the most
 * scenarios, and of those that of the newest Node.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { aimTables } from './aims.mjs';
import { readResults } from './results.mjs';

const { values: options } = parseArgs({
  options: {
    write: { type: 'boolean', default: false },
    check: { type: 'boolean', default: false },
    node: { type: 'string' },
  },
});

/** In the order of the table: what the page calls a candidate, the package whose version it names, its import. */
const rows = [
  ['hand-written', 'by hand, `fetch`'],
  ['hand-written-observable', 'by hand, `fetch`, in an Observable that aborts'],
  ['hand-written-node-http', 'by hand, `node:http`'],
  ['library', '**this library**, `aggregate()`', undefined, 'library'],
  ['library-events', '**this library**, `textDeltas()`', undefined, 'library'],
  ['library-node', '**this library**, `nodeTransport`', undefined, 'library/node'],
  ['library-accumulate', '**this library**, `accumulate()`', undefined, 'library'],
  ['rxjs-as-usually-written', 'RxJS as usually written', 'rxjs', 'rxjs'],
  ['fetch-event-source', '@microsoft/fetch-event-source', '@microsoft/fetch-event-source'],
  ['eventsource-client', 'eventsource-client', 'eventsource-client'],
  ['ag-ui', '@ag-ui/client', '@ag-ui/client'],
  ['openai-create', 'openai `create`', 'openai'],
  ['openai-7-create', 'openai `create`', 'openai-7'],
  ['openai-stream', 'openai `.stream()`', 'openai'],
  ['openai-7-stream', 'openai `.stream()`', 'openai-7'],
  ['langchain-openai', '@langchain/openai', '@langchain/openai'],
  ['langchain-openai-1.6', '@langchain/openai', 'langchain-openai-1.6'],
  ['ai-stream-text', 'ai `streamText`', 'ai'],
  ['ai-7-stream-text', 'ai `streamText`', 'ai-7'],
].map(([name, label, version, imported = version]) => ({ name, label, version, imported }));

const digits = (value) => (value >= 100 ? value.toFixed(0) : value.toPrecision(2));
const ratio = ({ ratio: { median } }) => median.toFixed(2);
const amount = ({ median }) => (Number.isInteger(median) ? String(median) : digits(median));

/** A column: its head, the figure of a scenario, and how it is shown. */
const columns = [
  ['bulk', 'bulk-20000', 'cpu', ratio],
  ['bulk, warm', 'bulk-200000', 'cpu', ratio],
  ['a write per event', 'each-10000', 'cpu', ratio],
  ['recorded', 'recorded', 'cpu', ratio],
  ['500 paced, cold', 'paced-500-cold', 'cpu', ratio],
  ['500 paced, warm', 'paced-500', 'cpu', ratio],
  // Runs from before there were warm ones have their latencies in the cold.
  ['200 paced, cold: latency, ms', 'paced-200-cold', 'p50', amount],
  ['99th, cold, ms', 'paced-200-cold', 'p99', amount],
  ['200 paced, warm: latency, ms', 'paced-200', 'p50', amount],
  ['99th, warm, ms', 'paced-200', 'p99', amount],
  ['first delta, cold', 'first-delta-cold', 'firstDelta', ratio],
  ['first delta, warm', 'first-delta', 'firstDelta', ratio],
  ['KiB per open stream', 'open-200', 'memory', amount],
  ['connections, 300 turns', 'sockets-300', 'connections', amount],
  ['bytes per chunk', 'memory-200000', 'growing', amount],
  ['import, ms', 'import', 'import', amount],
];

const line = (cells) => `| ${cells.join(' | ')} |`;

function mainTable({ scenarios, versions }) {
  const measured = columns.filter(([, scenario, figure]) => scenarios[scenario]?.figures[figure]);
  const cellOf = ({ name, imported }, [, scenario, figure, show]) => {
    const subjects = scenarios[scenario]?.figures[figure]?.subjects;
    const subject = subjects?.[scenario === 'import' ? imported : name];
    return subject === undefined ? '' : show(subject);
  };
  const known = rows.filter(({ name }) =>
    Object.entries(scenarios).some(
      ([scenario, { figures }]) =>
        scenario !== 'import' && Object.values(figures).some(({ subjects }) => name in subjects),
    ),
  );
  return [
    line(['', ...measured.map(([head]) => head)]),
    line(['---', ...measured.map(() => '--:')]),
    ...known.map((row) =>
      line([
        [row.label, versions[row.version], row.version?.match(/-\d/) && '(Node 22)']
          .filter(Boolean)
          .join(' '),
        ...measured.map((column) => cellOf(row, column)),
      ]),
    ),
  ].join('\n');
}

/** How cost grows with the length of a turn. */
function growth({ scenarios }) {
  const { cpuExponent, memoryExponent } = scenarios.growth?.figures ?? {};
  const { library } = cpuExponent?.subjects ?? {};
  if (library === undefined) return [];
  const memory = memoryExponent.subjects.library.median;
  return [
    `From 1,000 to 1,000,000 chunks in a turn, CPU time grows as the number of chunks to the power of ${library.median.toFixed(2)}, and memory, from 100,000 on, to the power of ${memory.toFixed(2)}; 1 is linear.`,
  ];
}

/** The same ratio under every Node that there is a run of. */
function nodes(runs) {
  const majors = Object.keys(runs);
  const bulk = (major, name) => runs[major].scenarios['bulk-20000']?.figures.cpu.subjects[name];
  if (majors.length < 2) return [];
  const ratios = majors.map((major) => {
    const { library, 'library-node': overNode } = {
      library: bulk(major, 'library'),
      'library-node': bulk(major, 'library-node'),
    };
    return library && overNode && `${ratio(library)} and ${ratio(overNode)} on Node ${major}`;
  });
  return [`In bulk, \`aggregate()\` and \`nodeTransport\` cost ${ratios.filter(Boolean).join('; ')}.`];
}

function circumstances({ node, machine, versions, scenarios }) {
  const { rounds } = scenarios['bulk-20000'] ?? Object.values(scenarios)[0];
  const dates = Object.values(scenarios)
    .map(({ date }) => date.slice(0, 10))
    .toSorted();
  const date = dates[0] === dates.at(-1) ? dates[0] : `${dates[0]} to ${dates.at(-1)}`;
  return `${date}, Node ${node.slice(1)} on ${machine.cpu} (${machine.cpus} cores, ${machine.memory}, ${machine.system}); this library ${versions['rxjs-chat-completions']}, rxjs ${versions.rxjs}, eventsource-parser ${versions['eventsource-parser']}; medians, in bulk of ${rounds} rounds. Figures without a unit are ratios to the first row, in the same round.`;
}

const { runs } = readResults();
const scenariosOf = (major) => Object.keys(runs[major].scenarios).length;
const major =
  options.node ??
  Object.keys(runs)
    .toSorted((a, b) => scenariosOf(a) - scenariosOf(b) || a - b)
    .at(-1);
const run = runs[major];
if (run === undefined)
  throw new Error('no such run in bench/results.json: node bench/run.mjs --save makes one');
const documents = [
  {
    file: '../docs/benchmark.md',
    name: 'bench',
    text: [mainTable(run), circumstances(run), ...growth(run), ...nodes(runs)].join('\n\n'),
  },
  { file: 'README.md', name: 'aims', text: aimTables(runs) },
];

for (const { file, name, text } of documents) {
  if (!options.write && !options.check) console.log(`${text}\n`);
  else {
    const url = new URL(file, import.meta.url);
    const before = readFileSync(url, 'utf8');
    const between = new RegExp(`(<!-- ${name} -->\\n)[^]*?(<!-- /${name} -->)`);
    if (!between.test(before)) throw new Error(`${file} has no <!-- ${name} --> … <!-- /${name} -->`);
    const after = before.replace(between, (_, start, end) => `${start}\n${text}\n\n${end}`);
    if (options.write) writeFileSync(url, after);
    else if (after !== before) throw new Error(`${file} has other figures: node bench/table.mjs --write`);
  }
}
