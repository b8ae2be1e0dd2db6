import { fork } from 'node:child_process';
import { once } from 'node:events';
import { endings } from './endings.js';
import { subjects } from './fault-matrix.js';
import { type Kind, type LeakOptions, measureLeaks, type Measurement, violationsOf } from './leaks.js';
import type { Load } from './load.js';

/** What was measured, as it stands in the documentation, and what should not have been found. */
export interface Report {
  readonly table: string;
  readonly violations: readonly string[];
}

/** Bytes that the heap may grow by in the second half of the turns: for each turn, and by compiled code. */
const heapBound = { perTurn: 16, once: 256 * 1024 };

/** Measures each ending over each transport, by itself; `done` is told of each. */
export async function reportLeaks(options: LeakOptions, done: (line: string) => void): Promise<Report> {
  const violations: string[] = [];
  const rows: string[][] = [];
  // All code has run once before anything is measured.
  for (const subject of subjects)
    await measureLeaks(endings, subject, { ...options, turns: 100, warmUp: 0, kinds: [] });
  for (const ending of endings) {
    const row = [ending.name];
    for (const subject of subjects) {
      const measurement = await measureLeaks([ending], subject, options);
      const found = [...violationsOf(measurement), ...heapViolations(measurement)];
      const cell = cellOf(measurement);
      violations.push(...found.map((what) => `${ending.name}, ${subject.name}: ${what}`));
      row.push(cell);
      done([ending.name, subject.name, cell, ...found].join(' | '));
    }
    rows.push(row);
  }
  return { table: table(['Ending', ...subjects.map(({ name }) => name)], rows), violations };
}

function heapViolations({ turns, halfway, after }: Measurement): readonly string[] {
  const more = after.heap - halfway;
  return more > heapBound.once + (heapBound.perTurn * turns) / 2 ? [`${more} bytes of heap more`] : [];
}

function cellOf({ before, halfway, after, rest }: Measurement): string {
  const more = (kind: Kind) => signed(after[kind] - before[kind]);
  const kibibytesMore = (one: number, other: number) => signed(Math.round((other - one) / 1024));
  return [
    rest.openAnswers + rest.clientSockets + rest.providerSockets,
    rest.listeners,
    more('timers'),
    more('abortSignals'),
    more('objects'),
    `${kibibytesMore(before.heap, halfway)}, ${kibibytesMore(halfway, after.heap)}`,
  ].join(' / ');
}

const signed = (count: number): string => (count > 0 ? `+${count}` : `${count}`);

/** Runs so many turns at once over each transport, each time in a new process made of a module. */
export async function reportLoad(turns: number, modules: LoadModules): Promise<Report> {
  const violations: string[] = [];
  const rows: string[][] = [];
  for (const { name } of subjects) {
    const child = fork(modules.run, [name, `${turns}`, modules.provider]);
    const [{ atOnce, right, errors, perTurn }] = (await once(child, 'message')) as [Load];
    rows.push([name, `${atOnce}`, `${right}`, kibibytes(perTurn.used), kibibytes(perTurn.resident)]);
    if (atOnce !== turns) violations.push(`${name}: only ${atOnce} turns at once`);
    if (right !== turns) violations.push(`${name}: only ${right} right turns`);
    violations.push(...errors.map((what) => `${name}: ${what}`));
  }
  const head = ['Transport', 'Turns at once', 'With the right text', 'In use per turn', 'Resident per turn'];
  return { table: table(head, rows), violations };
}

/** Paths of what `load-run.ts` and `load-provider.ts` were compiled to. */
export interface LoadModules {
  readonly run: string;
  readonly provider: string;
}

const kibibytes = (bytes: number): string => `${(bytes / 1024).toFixed(1)} KiB`;

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
}
