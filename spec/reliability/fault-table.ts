import {
  type Case,
  cases,
  consumers,
  nameOf,
  type Run,
  run,
  type Subject,
  subjects,
} from './fault-matrix.js';
import { faults, type Stage, stages, wrongAnswers } from './faults.js';

/** Every run of the matrix, each made once. */
export class FaultMatrix {
  readonly #runs = new Map<string, Promise<Run>>();

  run(given: Case, subject: Subject, consumer: (typeof consumers)[number]): Promise<Run> {
    const id = [cases.indexOf(given), subject.name, consumer].join();
    const known = this.#runs.get(id) ?? run(given, subject, consumer);
    this.#runs.set(id, known);
    return known;
  }

  /** The result as it stands in the documentation: tables and counts in Markdown. */
  async report(): Promise<string> {
    // One after the other: the runs share the platform's fetch.
    const violations = await this.violations();
    const outcomes = new Map<string, number>();
    for (const subject of subjects) {
      for (const given of cases) {
        for (const consumer of consumers) {
          const { outcome } = await this.run(given, subject, consumer);
          // When somebody leaves at the instant of a fault, either may come first.
          const what = consumer === 'stays' ? outcome : 'a consumer that leaves';
          outcomes.set(what, (outcomes.get(what) ?? 0) + 1);
        }
      }
    }
    const turns = cases.length * subjects.length * consumers.length;
    return [
      table(['Fault', ...stages], await Promise.all(faults.map((fault) => this.#faultRow(fault)))),
      table(
        ['Answer', 'Outcome', 'Requests'],
        await Promise.all(wrongAnswers.map((it) => this.#answerRow(it))),
      ),
      table(
        ['Turns', 'ended with'],
        [...outcomes].sort(([a], [b]) => (a < b ? -1 : 1)).map(([what, count]) => [String(count), what]),
      ),
      `${cases.length} cases × ${subjects.length} transports (${subjects.map(({ name }) => name).join(', ')}) × ` +
        `${consumers.length} consumers (${consumers.join(', ')}) = ${turns} turns. Violations: ${violations.length}.`,
    ].join('\n\n');
  }

  /** Every rule that was broken, with where. */
  async violations(): Promise<readonly string[]> {
    const found: string[] = [];
    for (const subject of subjects) {
      for (const given of cases) {
        for (const consumer of consumers) {
          const { violations } = await this.run(given, subject, consumer);
          const where = [nameOf(given), subject.name, consumer].join(', ');
          found.push(...violations.map((what) => `${where}: ${what}`));
        }
      }
    }
    return found;
  }

  async #faultRow(fault: (typeof faults)[number]): Promise<readonly string[]> {
    const cell = async (stage: Stage) => {
      const given = cases.find((one) => 'fault' in one && one.fault === fault && one.stage === stage);
      return given === undefined ? '' : this.#acrossSubjects(given, ({ outcome }) => outcome);
    };
    return [fault.name, ...(await Promise.all(stages.map(cell)))];
  }

  async #answerRow(wrong: (typeof wrongAnswers)[number]): Promise<readonly string[]> {
    const given = cases.find((one) => 'wrong' in one && one.wrong === wrong);
    if (given === undefined) throw new Error(`${wrong.name} is no case`);
    return [
      wrong.name,
      await this.#acrossSubjects(given, ({ outcome }) => outcome),
      await this.#acrossSubjects(given, ({ requests }) => String(requests)),
    ];
  }

  /** What all transports agree on; where they do not, each by its name. */
  async #acrossSubjects(given: Case, what: (run: Run) => string): Promise<string> {
    const all: (readonly [string, string])[] = [];
    for (const subject of subjects) all.push([subject.name, what(await this.run(given, subject, 'stays'))]);
    const different = new Set(all.map(([, one]) => one));
    return different.size === 1 ? [...different].join() : all.map((pair) => pair.join(': ')).join('; ');
  }
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
}

/** Between these the report stands in the documentation. */
export const reportMarks = { begin: '<!-- fault matrix -->', end: '<!-- /fault matrix -->' } as const;

/** The report in a document, or `undefined` where it has none. */
export function reportIn(document: string): string | undefined {
  const { begin, end } = reportMarks;
  const from = document.indexOf(begin);
  const to = document.indexOf(end);
  return from === -1 || to === -1 ? undefined : document.slice(from + begin.length, to).trim();
}
