/** Tables for the terminal. */
const short = (value) => {
  if (value === undefined) return '';
  return Number.isInteger(value) || value >= 100 ? value.toFixed(0) : value.toPrecision(3);
};

function printTable(title, heads, rows) {
  const table = [['', ...heads], ...rows];
  const widths = table[0].map((_, column) => Math.max(...table.map((row) => row[column].length)));
  console.log(`\n${title}`);
  for (const [name, ...cells] of table) {
    const columns = cells.map((cell, column) => cell.padStart(widths[column + 1]));
    console.log(`  ${[name.padEnd(widths[0]), ...columns].join('  ').trimEnd()}`);
  }
}

const namesIn = (figures) => [...new Set(figures.flatMap(({ subjects }) => Object.keys(subjects)))];

/** A row for each of those who were measured, a column for each figure. */
function printColumns(title, heads, figures) {
  printTable(
    title,
    heads,
    namesIn(figures).map((name) => [name, ...figures.map(({ subjects }) => short(subjects[name]?.median))]),
  );
}

/** Measured in rounds: one table for each figure, those with columns together. */
export function printRounds({ title, rounds, yardstick, figures }) {
  const all = Object.values(figures);
  const times = rounds === 1 ? '1 round' : `${rounds} rounds`;
  for (const { unit, subjects } of all.filter(({ column }) => column === undefined)) {
    printTable(
      `${title}: ${unit} (${times})`,
      ['median', 'min', 'max', `to ${yardstick}`, 'min to max'],
      Object.entries(subjects).map(([name, { median, min, max, ratio }]) => [
        name,
        ...[median, min, max].map(short),
        ratio.median.toFixed(2),
        `${ratio.min.toFixed(2)} to ${ratio.max.toFixed(2)}`,
      ]),
    );
  }
  const inColumns = all.filter(({ column }) => column !== undefined);
  for (const unit of new Set(inColumns.map((figure) => figure.unit))) {
    const members = inColumns.filter((figure) => figure.unit === unit);
    printColumns(
      `${title}: ${unit} (${times})`,
      members.map(({ column }) => column),
      members,
    );
  }
}

/** Counted once: one table for each figure, a column for each scenario of the group. */
export function printGroup(members) {
  for (const [figure, { unit }] of Object.entries(members[0].figures)) {
    printColumns(
      `${members[0].group}: ${unit}`,
      members.map(({ column }) => column),
      members.map(({ figures }) => figures[figure]),
    );
  }
}

/** This build to another: one table for all that was measured of both. */
export function printBuilds(build, scenarios) {
  const rows = Object.entries(scenarios).flatMap(([scenario, { rounds, figures }]) =>
    Object.values(figures).flatMap(({ unit, column, subjects }) =>
      Object.entries(subjects)
        .filter(([, { to }]) => to !== undefined && build in to)
        .map(([name, { median, to }]) => {
          const ratio = to[build];
          return [
            `${scenario}, ${[unit, column].filter(Boolean).join(', ')}: ${name}`,
            ...[median, subjects[`${name}@${build}`].median].map(short),
            ratio.median.toFixed(2),
            `${ratio.min.toFixed(2)} to ${ratio.max.toFixed(2)}`,
            String(rounds),
          ];
        }),
    ),
  );
  if (rows.length === 0) return;
  printTable(
    `this build to ${build}, in the same round`,
    ['this', build, 'ratio', 'min to max', 'rounds'],
    rows,
  );
}
