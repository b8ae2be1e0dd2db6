/** One notification, or one end of a subscription, as it is drawn. */
export interface Mark {
  /** Virtual milliseconds. */
  readonly frame: number;
  /** One character. */
  readonly sign: string;
}

/** The signs of each row at one time. */
export interface Cell {
  readonly frame: number;
  /** Per row, in order. */
  readonly signs: readonly (readonly string[])[];
  /** The first index at which the rows differ; absent if they are the same. */
  readonly differsAt?: number | undefined;
}

/** Aligned marble lines, with carets where they differ. */
export interface Picture {
  readonly rows: readonly string[];
  /** `''` if nothing differs. */
  readonly carets: string;
}

/** Limits on the size of a drawing. */
const limits = {
  /** Columns. */
  width: 100,
  /** Signs in a group, and before its first difference. */
  group: 24,
  groupBefore: 8,
} as const;

const ends: ReadonlySet<string> = new Set(['|', '#', '!']);

/** The part of a list to draw: all of a short list, else the part around an index. */
export function windowOf(length: number, around: number): { readonly from: number; readonly to: number } {
  if (length <= limits.group) return { from: 0, to: length };
  const from = Math.max(0, Math.min(around - limits.groupBefore, length - limits.group));
  return { from, to: Math.min(length, from + limits.group) };
}

/**
 * Draws rows of marbles in the syntax of `TestScheduler.run`, with simultaneous signs in one column.
 *
 * ```
 * -a- 200ms -(bc|)
 * -a- 200ms ---b--
 * ```
 *
 * A line that is not cut can be passed to `toBe()` again, unless a group covers the times after it: the syntax cannot
 * express that, and spaces keep the columns.
 *
 * @param cells - by their time
 * @param frame - how many milliseconds a column is: 1 within `run()`
 * @param isCut - whether there are cells before these, and after them
 */
export function drawRows(
  cells: readonly Cell[],
  frame = 1,
  isCut: { readonly before: boolean; readonly after: boolean } = { before: false, after: false },
): Picture {
  const first = cells[0]?.frame ?? 0;
  const rows = (cells[0]?.signs ?? []).map(() => ({ text: '', hasEnded: false }));
  const carets: { readonly column: number; readonly frame: number }[] = [];
  const lead = isCut.before ? '… ' : gap(first - Math.min(0, first), frame).trimStart();
  for (const row of rows) row.text = lead;
  let isFull = false;

  for (const [index, { frame: at, signs, differsAt }] of cells.entries()) {
    const column = rows[0]?.text.length ?? 0;
    if (column > limits.width) {
      isFull = true;
      break;
    }
    const { from, to } = windowOf(Math.max(...signs.map(({ length }) => length)), differsAt ?? 0);
    const tokens = signs.map((row) => tokenOf(row, from, to));
    const width = Math.max(1, ...tokens.map(({ length }) => length));
    if (differsAt !== undefined) {
      const isInGroups = tokens.every(({ length }) => length > 1);
      carets.push({ column: column + (isInGroups ? 1 + differsAt - from + Number(from > 0) : 0), frame: at });
    }
    const next = cells[index + 1]?.frame;
    const rest = next === undefined ? 0 : next - at - width * frame;
    const between = gap(Math.max(0, rest), frame);
    for (const [place, row] of rows.entries()) {
      const token = tokens[place] ?? '';
      const isEmpty = token === '';
      const idle = row.hasEnded ? ' ' : first < 0 && at === 0 ? '^' : '-';
      row.hasEnded ||= ends.has(signs[place]?.at(-1) ?? '');
      const filler = row.hasEnded || rest < 0 ? ' ' : '-';
      row.text += (isEmpty ? idle : token).padEnd(width, filler);
      row.text += row.hasEnded ? ' '.repeat(between.length) : between;
    }
  }
  const tail = isFull || isCut.after ? ' …' : '';
  return { rows: rows.map(({ text }) => `${text}${tail}`.trimEnd()), carets: caretLine(carets) };
}

function tokenOf(signs: readonly string[], from: number, to: number): string {
  if (signs.length < 2) return signs.join('');
  const shown = signs.slice(from, to).join('');
  return `(${from > 0 ? '…' : ''}${shown}${to < signs.length ? '…' : ''})`;
}

/** Time in which nothing happens: columns, or a duration if there are many. */
function gap(milliseconds: number, frame: number): string {
  const isShort = (time: number) => Number.isInteger(time / frame) && time / frame < 10;
  if (isShort(milliseconds)) return '-'.repeat(milliseconds / frame);
  for (const unit of [60_000, 1_000, 100]) {
    const rest = milliseconds % unit;
    if (milliseconds >= unit && isShort(rest))
      return ` ${timeOf(milliseconds - rest)} ${'-'.repeat(rest / frame)}`;
  }
  return ` ${timeOf(milliseconds)} `;
}

/** A time as marbles write it. */
function timeOf(milliseconds: number): string {
  const time = Number(milliseconds.toFixed(6));
  if (time > 0 && time % 60_000 === 0) return `${time / 60_000}m`;
  if (time > 0 && time % 1_000 === 0) return `${time / 1_000}s`;
  return `${time}ms`;
}

/** A caret for each difference, with its time if there is room. */
function caretLine(carets: readonly { readonly column: number; readonly frame: number }[]): string {
  return carets.reduce((line, { column, frame }, index) => {
    const next = carets[index + 1]?.column ?? Infinity;
    const label = ` ${Number(frame.toFixed(6))} ms`;
    return `${line.padEnd(column)}^${column + 1 + label.length < next ? label : ''}`;
  }, '');
}

/** Whether a value is drawn as itself: a letter that stands for nothing else. */
export const isOwnSign = (value: unknown): value is string =>
  typeof value === 'string' && /^[\x21-\x7E]$/.test(value) && !/[-()^|#!]/.test(value);

/** Letters for values: a to z, then A to Z, then other alphabets. */
export function* letters(taken: ReadonlySet<string>): Generator<string, never> {
  const latin = 'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ';
  for (const letter of latin) if (!taken.has(letter)) yield letter;
  for (let code = 0x100; ; code += 1) yield String.fromCodePoint(code);
}
