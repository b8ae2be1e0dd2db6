/** What this library was to reach, beside what it has reached: the tables of bench/README.md. */
const fetchLimit = ['hand-written-observable', 'by hand, in an Observable that aborts'];
const nodeLimit = ['hand-written-node-http', 'by hand, `node:http`'];

/** Ratios to the hand-written loop; a row's subject where it is not the table's own. What no run has is left out. */
const tables = [
  {
    title: 'The default transport',
    subject: 'library',
    limit: fetchLimit,
    rows: [
      ['bulk, 20,000 chunks, CPU', 'bulk-20000', 'cpu', 0.95],
      ['bulk, 200,000 chunks, CPU', 'bulk-200000', 'cpu', 0.95],
      ['one write per event, CPU', 'each-10000', 'cpu', 1],
      ['500 paced streams, CPU, cold', 'paced-500-cold', 'cpu', 0.95],
      ['500 paced streams, CPU, warm', 'paced-500', 'cpu', 0.95],
      ['500 paced streams, RSS, cold', 'paced-500-cold', 'rss', 0.95],
      ['200 paced streams, CPU, cold', 'paced-200-cold', 'cpu', 0.95],
      ['200 paced streams, CPU, warm', 'paced-200', 'cpu', 0.95],
      ['200 paced streams, RSS, cold', 'paced-200-cold', 'rss', 0.95],
      ['time to the first delta, cold', 'first-delta-cold', 'firstDelta', 0.95, 'library-events'],
      ['time to the first delta, warm', 'first-delta', 'firstDelta', 0.95, 'library-events'],
      ['recorded streams, CPU', 'recorded', 'cpu', 0.95],
    ],
  },
  {
    title: '`nodeTransport`',
    subject: 'library-node',
    limit: nodeLimit,
    rows: [
      ['bulk, 20,000 chunks, CPU', 'bulk-20000', 'cpu', 0.75],
      ['bulk, 200,000 chunks, CPU', 'bulk-200000', 'cpu', 0.75],
      ['one write per event, CPU', 'each-10000', 'cpu', 1],
      ['500 paced streams, CPU, cold', 'paced-500-cold', 'cpu', 0.7],
      ['500 paced streams, CPU, warm', 'paced-500', 'cpu', 0.7],
      ['500 paced streams, RSS, cold', 'paced-500-cold', 'rss', 0.5],
      ['200 paced streams, CPU, cold', 'paced-200-cold', 'cpu', 0.7],
      ['200 paced streams, CPU, warm', 'paced-200', 'cpu', 0.7],
      ['200 paced streams, RSS, cold', 'paced-200-cold', 'rss', 0.5],
      ['time to the first delta, cold', 'first-delta-cold', 'firstDelta', 0.6],
      ['time to the first delta, warm', 'first-delta', 'firstDelta', 0.6],
      ['recorded streams, CPU', 'recorded', 'cpu', 0.8],
    ],
  },
];

/** How many times the CPU of `aggregate()` the big clients take for a chunk in bulk. */
const proportions = [
  ['openai `create`', 'openai-create', 2.5],
  ['openai `.stream()`', 'openai-stream', 5],
  ['@langchain/openai', 'langchain-openai', 12],
  ['ai `streamText`', 'ai-stream-text', 12],
];

const line = (cells) => `| ${cells.join(' | ')} |`;
const tableOf = (head, rows) =>
  [line(head), line(['---', ...head.slice(1).map(() => '--:')]), ...rows.map(line)].join('\n');

export function aimTables(runs) {
  const majors = Object.keys(runs).toSorted((a, b) => a - b);
  const figureOf = (major, scenario, figure, subject) =>
    runs[major].scenarios[scenario]?.figures[figure]?.subjects[subject];
  const cells = (find) => majors.map((major) => find(major) ?? '');
  const onNodes = majors.map((major) => `Node ${major}`);
  const ratioOf = (...place) => figureOf(...place)?.ratio.median.toFixed(2);

  const isMeasured = ([, scenario, figure]) =>
    majors.some((major) => runs[major].scenarios[scenario]?.figures[figure]);
  const ratios = tables.map(({ title, subject, limit: [least, leastLabel], rows }) =>
    tableOf(
      [title, 'aim', ...onNodes, ...majors.map((major) => `${leastLabel}, ${major}`)],
      rows
        .filter(isMeasured)
        .map(([what, scenario, figure, aim, special = subject]) => [
          what,
          `≤ ${aim.toFixed(2)}`,
          ...cells((major) => ratioOf(major, scenario, figure, special)),
          ...cells((major) => ratioOf(major, scenario, figure, least)),
        ]),
    ),
  );

  const times = (major, name) => {
    const [theirs, ours] = [name, 'library'].map((subject) => figureOf(major, 'bulk-20000', 'cpu', subject));
    return theirs && ours && (theirs.median / ours.median).toFixed(1);
  };
  const connections = (subject) => (major) =>
    figureOf(major, 'sockets-300', 'connections', subject)?.median.toFixed(0);
  const others = tableOf(
    ['', 'aim', ...onNodes],
    [
      ...proportions.map(([label, name, aim]) => [
        `CPU of ${label} over that of this library`,
        `≥ ${aim}`,
        ...cells((major) => times(major, name)),
      ]),
      ['connections of 300 turns', '≤ 6', ...cells(connections('library'))],
      ['the same over `nodeTransport`', '≤ 6', ...cells(connections('library-node'))],
      [
        'import, CPU, over that of rxjs',
        '≤ 1.15',
        ...cells((major) => ratioOf(major, 'import', 'cpu', 'library')),
      ],
      [
        'import, time, over that of rxjs',
        '≤ 1.15',
        ...cells((major) => ratioOf(major, 'import', 'import', 'library')),
      ],
    ],
  );
  return [...ratios, others].join('\n\n');
}
