import { propertyOf } from '../turn/errors.js';

/** The first difference between two values. */
export interface Difference {
  /** As written after the value's name: `.item.content[0].text`, `''` for the value itself. */
  readonly path: string;
  readonly expected: unknown;
  readonly actual: unknown;
}

/** Stands for a property or an entry that only the other side has. */
export const absent = Symbol('absent');

type Compare = (actual: unknown, expected: unknown, path: string) => Difference | undefined;

/**
 * Compares two values as strictly as Node's `assert.deepStrictEqual`: prototypes, own enumerable properties (symbols
 * included) and holes count, `Object.is` decides between primitives, and sets and maps have no order. An `Error` is
 * compared by its `name`, `message`, `cause` and `errors` as well. An asymmetric matcher of Jest, Vitest or Jasmine
 * (`expect.any(Number)`) on the expected side does its own comparison.
 *
 * A platform object with hidden content (a `Promise`, a `WeakMap`) is equal only to itself.
 *
 * @returns the first difference; nothing if they are equal
 */
export function firstDifference(actual: unknown, expected: unknown): Difference | undefined {
  // The path of each enclosing object, so that a cycle is compared with the same cycle.
  const places = { actual: new Map<object, number>(), expected: new Map<object, number>() };
  let depth = 0;

  const compare: Compare = (actual, expected, path) => {
    if (Object.is(actual, expected)) return undefined;
    const differs = { path, actual, expected };
    if (isAsymmetricMatcher(expected)) return accepts(expected, actual) ? undefined : differs;
    if (!isObject(actual) || !isObject(expected)) return differs;
    if (Object.getPrototypeOf(actual) !== Object.getPrototypeOf(expected)) return differs;
    if (tagOf(actual) !== tagOf(expected)) return differs;

    const [before, other] = [places.actual.get(actual), places.expected.get(expected)];
    if (before !== undefined && other !== undefined) return before === other ? undefined : differs;
    depth += 1;
    places.actual.set(actual, depth);
    places.expected.set(expected, depth);
    const difference =
      ofInternals(actual, expected, path, compare) ?? ofProperties(actual, expected, path, compare);
    restore(places.actual, actual, before);
    restore(places.expected, expected, other);
    depth -= 1;
    return difference;
  };
  return compare(actual, expected, '');
}

function restore(places: Map<object, number>, value: object, before: number | undefined): void {
  if (before === undefined) places.delete(value);
  else places.set(value, before);
}

/** A matcher such as `expect.any(Number)`: by convention of Jest, Vitest and Jasmine, an object with this method. */
export interface AsymmetricMatcher {
  asymmetricMatch: (actual: unknown, utilities?: object) => unknown;
}

export const isAsymmetricMatcher = (value: unknown): value is AsymmetricMatcher =>
  isObject(value) && typeof propertyOf(value, 'asymmetricMatch') === 'function';

/** Jasmine's matchers compare with what they are given; those of Jest and Vitest, which have a `$$typeof`, do not. */
function accepts(matcher: AsymmetricMatcher, actual: unknown): boolean {
  const utilities = {
    equals: (value: unknown, other: unknown) => firstDifference(value, other) === undefined,
    pp: String,
  };
  return Boolean(
    propertyOf(matcher, '$$typeof') === undefined
      ? matcher.asymmetricMatch(actual, utilities)
      : matcher.asymmetricMatch(actual),
  );
}

const isObject = (value: unknown): value is object => typeof value === 'object' && value !== null;

const tagOf = (value: object): string => Object.prototype.toString.call(value);

/** An object's content besides its properties. The two have the same prototype and the same tag. */
function ofInternals(
  actual: object,
  expected: object,
  path: string,
  compare: Compare,
): Difference | undefined {
  const differs = { path, actual, expected };
  const same = (isSame: boolean) => (isSame ? undefined : differs);
  // Test runners use a separate realm, in which `instanceof` fails for outside objects.
  const isA = (name: string, type: abstract new (...args: never[]) => unknown) =>
    tagOf(actual) === `[object ${name}]` || actual instanceof type;
  const inFull = (read: (value: object) => unknown) =>
    compare(internal(actual, read), internal(expected, read), path);

  if (Array.isArray(actual)) return compare(actual.length, lengthOf(expected), `${path}.length`);
  if (ArrayBuffer.isView(actual) || /ArrayBuffer\]$/.test(tagOf(actual)))
    return same(haveSameBytes(bytesOf(actual), bytesOf(expected)));
  if (isA('Error', Error)) return ofErrors(actual, expected, path, compare);
  if (isA('Map', Map) || isA('Set', Set)) {
    const [ours, theirs] = [entriesOf(actual), entriesOf(expected)];
    return ofEntries(ours, theirs, differs, compare);
  }
  if (isA('Date', Date)) return inFull((value) => Date.prototype.getTime.call(value));
  if (isA('RegExp', RegExp)) return inFull((value) => patternOf(value as RegExp));
  if (/^\[object (?:Number|String|Boolean|Symbol|BigInt)\]$/.test(tagOf(actual)))
    return inFull((value) => (isObject(value.valueOf()) ? undefined : value.valueOf()));
  if (/^\[object URL(?:SearchParams)?\]$/.test(tagOf(actual))) return inFull((value) => `${value as URL}`);
  return same(!isOpaque(actual));
}

/** Content that cannot be read, because an object only has the prototype, counts as absent. */
function internal<T>(value: object, read: (value: object) => T): T | undefined {
  try {
    return read(value);
  } catch {
    return undefined;
  }
}

const lengthOf = (value: unknown): unknown => propertyOf(value, 'length');

const patternOf = ({ source, flags, lastIndex }: RegExp): string => `${lastIndex}/${source}/${flags}`;

function bytesOf(value: unknown): Uint8Array {
  return ArrayBuffer.isView(value)
    ? new Uint8Array(value.buffer, value.byteOffset, value.byteLength)
    : new Uint8Array(value as ArrayBuffer);
}

const haveSameBytes = (one: Uint8Array, other: Uint8Array): boolean =>
  one.length === other.length && one.every((byte, index) => byte === other[index]);

/** Whether none of an object's properties shows its content. */
const isOpaque = (value: object): boolean =>
  Symbol.toStringTag in value && keysOf(value).length === 0 && !isNamespace(value);

/** A module, `Math`, `JSON`: their tag is their own property. */
const isNamespace = (value: object): boolean => Object.hasOwn(value, Symbol.toStringTag);

function ofErrors(actual: object, expected: object, path: string, compare: Compare): Difference | undefined {
  for (const key of ['name', 'message', 'cause', 'errors'] as const) {
    const isOwn = key === 'cause' || key === 'errors';
    const read = (error: object) => (isOwn && !Object.hasOwn(error, key) ? absent : propertyOf(error, key));
    const difference = compare(read(actual), read(expected), `${path}.${key}`);
    if (difference) return difference;
  }
  return undefined;
}

type Entry = readonly [key: unknown, value: unknown];

/** Those of a map, or of a set, whose values are their own keys. */
const entriesOf = (value: object): readonly Entry[] | undefined =>
  internal(value, () => [...Map.prototype.entries.call(value as Map<unknown, unknown>)]) ??
  internal(value, () => Array.from(Set.prototype.keys.call(value as Set<unknown>), (key): Entry => [key, 0]));

/** In any order: a primitive key has one entry, an object is the first that is equal. */
function ofEntries(
  actual: readonly Entry[] | undefined,
  expected: readonly Entry[] | undefined,
  differs: Difference,
  compare: Compare,
): Difference | undefined {
  if (actual === undefined || expected === undefined) return actual === expected ? undefined : differs;
  if (actual.length !== expected.length) return differs;
  const left = new Set(actual);
  const byKey = new Map(actual.map((entry) => [entry[0], entry]));
  for (const [key, value] of expected) {
    const same = byKey.get(key);
    const equals = (entry: Entry) =>
      compare(entry[0], key, '') === undefined && compare(entry[1], value, '') === undefined;
    if (isObject(key)) {
      const match = same && left.has(same) && equals(same) ? same : [...left].find(equals);
      if (match === undefined) return differs;
      left.delete(match);
    } else {
      const difference = same ? compare(same[1], value, `${differs.path}.get(${String(key)})`) : differs;
      if (difference !== undefined) return difference;
      if (same) left.delete(same);
    }
  }
  return undefined;
}

function ofProperties(
  actual: object,
  expected: object,
  path: string,
  compare: Compare,
): Difference | undefined {
  const expectedKeys = keysOf(expected);
  const missing = new Set(keysOf(actual));
  for (const key of expectedKeys) {
    const there = missing.delete(key);
    const value = there ? (actual as Record<PropertyKey, unknown>)[key] : absent;
    const difference = compare(
      value,
      (expected as Record<PropertyKey, unknown>)[key],
      path + step(expected, key),
    );
    if (difference) return difference;
  }
  for (const key of missing) {
    const value = (actual as Record<PropertyKey, unknown>)[key];
    return { path: path + step(actual, key), actual: value, expected: absent };
  }
  return undefined;
}

/** The own enumerable keys of an object, without the indices of a typed array: its bytes are compared as they are. */
function keysOf(value: object): readonly (string | symbol)[] {
  const names = Object.keys(value);
  const symbols = Object.getOwnPropertySymbols(value).filter((symbol) =>
    Object.prototype.propertyIsEnumerable.call(value, symbol),
  );
  // Indices come first.
  const own = ArrayBuffer.isView(value) ? names.slice(Number(lengthOf(value) ?? 0)) : names;
  return [...own, ...symbols];
}

function step(holder: object, key: string | symbol): string {
  if (typeof key === 'symbol') return `[${String(key)}]`;
  if (Array.isArray(holder) && /^\d+$/.test(key)) return `[${key}]`;
  return /^[\p{L}_$][\p{L}\p{N}_$]*$/u.test(key) ? `.${key}` : `[${JSON.stringify(key)}]`;
}
