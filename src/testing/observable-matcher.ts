import { propertyOf } from '../turn/errors.js';
import { absent, type Difference, firstDifference, isAsymmetricMatcher } from './first-difference.js';
import { inspectValue, quoted } from './inspect-value.js';
import { type Cell, drawRows, isOwnSign, letters, type Mark, type Picture, windowOf } from './marble-rows.js';
import {
  cellsOf,
  isMessages,
  isSubscriptions,
  type Moment,
  signOf,
  type SubscriptionLog,
  type TestMessage,
} from './test-messages.js';

/** Limits on the size of a failure message. */
const limits = { cellsBefore: 8, cells: 100, values: 8, differences: 3, subscriptions: 4 } as const;

/**
 * An assertion function for `TestScheduler` that draws the expected and the actual marbles if they differ.
 *
 * The marbles are aligned, with a caret at each difference, followed by the values that differ.
 *
 * ```
 * The Observable differs from what was drawn, first at 2005 ms.
 *
 *   expected  2s ----ab-|
 *   actual    2s ----ac-|
 *                     ^ 2005 ms
 *
 *   b  text_delta "lo"
 *   c  text_delta "la"
 *   c is not b at .item.content[0].text: expected "lo", actual "la"
 * ```
 *
 * Values are compared as strictly as with Node's `assert.deepStrictEqual`: `{}` is not `{ a: undefined }`, and
 * an instance of a class is not an object literal. If that is too strict, use an asymmetric matcher of the test
 * runner as the value: `expect.objectContaining({ status: 429 })`. An error is shown with its class, status,
 * code and message, never with the provider's words.
 *
 * @example
 * ```ts
 * const testScheduler = new TestScheduler(observableMatcher);
 * testScheduler.run(({ cold, expectObservable }) => {
 *   expectObservable(cold('-a-b-|', { a: textEvent('Hel'), b: textEvent('lo') }).pipe(textDeltas())).toBe('-a-b-|', {
 *     a: 'Hel',
 *     b: 'lo',
 *   });
 * });
 * ```
 *
 * @throws Error whose message is the drawing. `actual` and `expected` are the two lines, and `cause` is an
 * unexpected error
 */
export function observableMatcher(this: unknown, actual: unknown, expected: unknown): void {
  // `TestScheduler` calls this as its method. Outside of `run()` a column is 10 ms.
  const factor = propertyOf(propertyOf(this, 'constructor'), 'frameTimeFactor');
  const failure = comparison(actual, expected, typeof factor === 'number' && factor > 0 ? factor : 1);
  if (failure !== undefined) throw assertionError(failure);
}

/** Unreadable values count as different: a getter or matcher that throws, a revoked proxy, too deep nesting. */
function comparison(actual: unknown, expected: unknown, factor: number): Failure | undefined {
  try {
    return compare(actual, expected, factor);
  } catch (cause) {
    const message = 'The values cannot be compared: reading them threw the error that is the cause.';
    return { message, expected: undefined, actual: undefined, cause };
  }
}

interface Failure {
  readonly message: string;
  readonly expected: unknown;
  readonly actual: unknown;
  readonly cause?: unknown;
}

function compare(actual: unknown, expected: unknown, factor: number): Failure | undefined {
  if (isMessages(actual) && isMessages(expected)) return compareMessages(actual, expected, factor);
  if (isSubscriptions(actual) && isSubscriptions(expected))
    return compareSubscriptions(actual, expected, factor);
  const difference = firstDifference(actual, expected);
  if (difference === undefined) return undefined;
  return { message: `The values differ${told(difference)}.`, expected, actual };
}

/**
 * Test runners print an error's message; some add its properties, or the difference between `actual` and `expected`, which
 * the picture shows already.
 */
function assertionError({ message, expected, actual, cause }: Failure): Error {
  const error = new Error(message, cause === undefined ? undefined : { cause });
  const details = {
    expected,
    actual,
    showDiff: false,
    matcherResult: { pass: false, message, expected, actual },
  };
  for (const [key, value] of Object.entries(details))
    Object.defineProperty(error, key, { value, configurable: true, writable: true });
  // In V8, this makes the stack begin at the test.
  (Error as { captureStackTrace?: (error: Error, below: unknown) => void }).captureStackTrace?.(
    error,
    observableMatcher,
  );
  return error;
}

/** Whether two notifications are the same apart from their time. */
function differenceOf(
  actual: TestMessage | undefined,
  expected: TestMessage | undefined,
): Difference | undefined {
  if (actual === undefined || expected === undefined) return { path: '', actual, expected };
  const [came, drawn] = [actual.notification, expected.notification];
  if (came.kind !== drawn.kind) return { path: '', actual, expected };
  if (came.kind === 'N') return firstDifference(came.value, drawn.value);
  return came.kind === 'E' ? firstDifference(came.error, drawn.error) : undefined;
}

/** The first difference between two lists at the same time. */
function placeOfDifference<T>(
  [expected = [], actual = []]: Moment<T>['lists'],
  differ: (actual: T | undefined, expected: T | undefined) => boolean,
): number | undefined {
  for (let place = 0; place < Math.max(expected.length, actual.length); place += 1)
    if (differ(actual[place], expected[place])) return place;
  return undefined;
}

/** The times around the first difference between two lists. */
function view<T>(
  moments: readonly Moment<T>[],
  differ: (actual: T | undefined, expected: T | undefined) => boolean,
) {
  const first = moments.findIndex(({ lists }) => placeOfDifference(lists, differ) !== undefined);
  if (first === -1) return undefined;
  const from = Math.max(0, first - limits.cellsBefore);
  const to = Math.min(moments.length, from + limits.cells);
  const shown = moments
    .slice(from, to)
    .map((moment) => ({ ...moment, differsAt: placeOfDifference(moment.lists, differ) }));
  return {
    shown,
    first: moments[first]?.frame ?? 0,
    isCut: { before: from > 0, after: to < moments.length },
  };
}

function compareMessages(
  actual: readonly TestMessage[],
  expected: readonly TestMessage[],
  factor: number,
): Failure | undefined {
  const differ = (came?: TestMessage, drawn?: TestMessage) => differenceOf(came, drawn) !== undefined;
  const seen = view(cellsOf([expected, actual]), differ);
  if (seen === undefined) return undefined;
  const { shown, first, isCut } = seen;
  const legend = legendFor(shown);
  const cells = shown.map(({ frame, lists, differsAt }) => ({
    frame,
    differsAt,
    signs: lists.map((list) => list.map((message) => legend.signOf(message))),
  }));
  const picture = drawRows(cells, factor, isCut);
  const [drawn = '', came = ''] = picture.rows;
  return {
    message: [
      `The Observable differs from what was drawn, first at ${first} ms.`,
      linesOf(picture),
      notesOf(shown, legend),
    ]
      .filter(Boolean)
      .join('\n\n'),
    expected: drawn,
    actual: came,
    cause: unexpectedError(actual, expected),
  };
}

/** An error where none, or a different one, was drawn. */
function unexpectedError(actual: readonly TestMessage[], expected: readonly TestMessage[]): unknown {
  const errorIn = (messages: readonly TestMessage[]) =>
    messages.find(({ notification: { kind } }) => kind === 'E');
  const came = errorIn(actual);
  return came && differenceOf(came, errorIn(expected)) ? came.notification.error : undefined;
}

type Seen = Moment<TestMessage> & { readonly differsAt: number | undefined };

interface Legend {
  readonly signOf: (message: TestMessage) => string;
}

/** Gives each value a letter, and equal values on either side the same one. A value that is a letter is drawn as itself. */
function legendFor(moments: readonly Seen[]): Legend {
  const shown = moments.map(({ lists, differsAt = 0 }) => {
    const { from, to } = windowOf(Math.max(...lists.map(({ length }) => length)), differsAt);
    return lists.map((list) => list.slice(from, to));
  });
  const drawn = shown.flatMap(([expected = []]) => expected);
  const valueOf = ({ notification: { value } }: TestMessage) => value;
  const taken = new Set(shown.flat(2).map(valueOf).filter(isOwnSign));
  const unused = letters(taken);
  const known: { readonly value: unknown; readonly letter: string }[] = [];
  const signs = new Map<TestMessage, string>();

  const letterFor = (value: unknown): string => {
    if (isOwnSign(value)) return value;
    const same = known.find(({ value: other }) =>
      // A matcher may accept another matcher.
      isAsymmetricMatcher(value) ? value === other : firstDifference(value, other) === undefined,
    );
    if (same !== undefined) return same.letter;
    const letter = unused.next().value;
    known.push({ value, letter });
    return letter;
  };
  const assign = (message: TestMessage, letter: () => string) =>
    signs.set(message, signOf(message.notification.kind, message.notification.kind === 'N' ? letter() : ''));

  for (const message of drawn) assign(message, () => letterFor(valueOf(message)));
  for (const [expected = [], actual = []] of shown) {
    for (const [place, message] of actual.entries()) {
      const counterpart = expected[place];
      const isSame = differenceOf(message, counterpart) === undefined;
      assign(message, () => (isSame && counterpart && signs.get(counterpart)) || letterFor(valueOf(message)));
    }
  }
  return { signOf: (message) => signs.get(message) ?? '?' };
}

/** The values of the differing letters, and their first difference. */
function notesOf(moments: readonly Seen[], legend: Legend): string {
  const values = new Map<string, string>();
  const differences: string[] = [];
  for (const { lists, differsAt } of moments) {
    if (differsAt === undefined) continue;
    const [expected = [], actual = []] = lists;
    const length = Math.max(expected.length, actual.length);
    const { from, to } = windowOf(length, differsAt);
    for (let place = Math.max(from, differsAt); place < to; place += 1) {
      const [drawn, came] = [expected[place], actual[place]];
      const difference = differenceOf(came, drawn);
      if (difference === undefined) continue;
      for (const [side, message] of [['expected', drawn] as const, ['actual', came] as const]) {
        if (message === undefined) continue;
        const { kind, value, error } = message.notification;
        const sign = legend.signOf(message);
        if (kind === 'N' && !isOwnSign(value)) values.set(sign, inspectValue(value));
        if (kind === 'E') values.set(`# ${side}`, inspectValue(error));
      }
      const isSameKind = drawn !== undefined && drawn.notification.kind === came?.notification.kind;
      if (isSameKind && (difference.path !== '' || isLong(difference)))
        differences.push(`${legend.signOf(came)} is not ${legend.signOf(drawn)}${told(difference)}`);
    }
  }
  const width = Math.max(...[...values.keys()].map(({ length }) => length));
  const listed = [...values].map(([letter, value]) => `${letter.padEnd(width)}  ${value}`);
  return [...bounded(listed, limits.values, 'more values'), ...differences.slice(0, limits.differences)]
    .map((line) => `  ${line}`)
    .join('\n');
}

const isLong = ({ actual, expected }: Difference): boolean =>
  typeof actual === 'string' && typeof expected === 'string' && quoted(actual).endsWith('…');

/** Where two values differ, and how. Of long texts, only the part around the first difference. */
function told({ path, actual, expected }: Difference): string {
  const at = path === '' ? '' : ` at ${path}`;
  if (typeof actual === 'string' && typeof expected === 'string') {
    let same = 0;
    while (same < actual.length && actual[same] === expected[same]) same += 1;
    return `${at}: expected ${quoted(expected, same)}, actual ${quoted(actual, same)}`;
  }
  const [drawn, came] = [inspectValue(expected), inspectValue(actual)];
  const types = drawn === came && expected !== absent ? ', which only look alike' : '';
  return `${at}: expected ${drawn}, actual ${came}${types}`;
}

function bounded(lines: readonly string[], limit: number, what: string): readonly string[] {
  const rest = lines.length - limit;
  return rest <= 0 ? lines : [...lines.slice(0, limit), `… ${rest} ${what}`];
}

function linesOf({ rows: [expected = '', actual = ''], carets }: Picture): string {
  return [`  expected  ${expected}`, `  actual    ${actual}`, `            ${carets}`]
    .map((line) => line.trimEnd())
    .join('\n');
}

function compareSubscriptions(
  actual: readonly SubscriptionLog[],
  expected: readonly SubscriptionLog[],
  factor: number,
): Failure | undefined {
  const count = Math.max(actual.length, expected.length);
  const differ = (came?: Mark, drawn?: Mark) => came?.sign !== drawn?.sign;
  const failures: { readonly number: number; readonly first: number; readonly picture: Picture }[] = [];
  for (let index = 0; index < count; index += 1) {
    const seen = view(cellsOf([marksOf(expected[index]), marksOf(actual[index])]), differ);
    if (seen === undefined) continue;
    const cells = seen.shown.map(({ frame, lists, differsAt }): Cell => ({
      frame,
      differsAt,
      signs: lists.map((list) => list.map(({ sign }) => sign)),
    }));
    const picture = drawRows(cells, factor);
    const without = (subscription: unknown, row = '') => (subscription === undefined ? '(none)' : row);
    const rows = [without(expected[index], picture.rows[0]), without(actual[index], picture.rows[1])];
    failures.push({ number: index + 1, first: seen.first, picture: { ...picture, rows } });
  }
  if (failures.length === 0) return undefined;
  const told = failures.map(({ number, first, picture }) => {
    const which = count === 1 ? 'The subscription' : `Subscription ${number} of ${count}`;
    return `${which} differs from what was drawn, first at ${first} ms.\n\n${linesOf(picture)}`;
  });
  const sideOf = (side: number) => failures.map(({ picture }) => picture.rows[side]).join('\n');
  return {
    message: bounded(told, limits.subscriptions, 'more subscriptions differ').join('\n\n'),
    expected: sideOf(0),
    actual: sideOf(1),
  };
}

function marksOf(subscription: SubscriptionLog | undefined): readonly Mark[] {
  if (subscription === undefined) return [];
  return [
    { frame: subscription.subscribedFrame, sign: '^' },
    { frame: subscription.unsubscribedFrame, sign: '!' },
  ].filter(({ frame }) => frame !== Infinity);
}
