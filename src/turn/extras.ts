import { joinDetails } from './reasoning-details.js';
import { isRecord, own } from './wire.js';

/**
 * What a provider said on an item beyond what the item models: its fields, as they came and unread. They
 * go back with the next request, in the place where they stood.
 *
 * From the wire at most 4,194,304 characters are kept of one answer, names included, nested 100 levels deep, and nothing
 * of an object with more than 1,024 fields.
 */
export type Extras = Readonly<Record<string, unknown>>;

/** How many characters of one answer are kept: signed reasoning is as long as the reasoning. */
const maxCharacters = 4_194_304;

/** Real values are a few levels deep. JSON can be read at any depth, but not written. */
const deepest = 100;

/** How many fields a record may have that is joined: each piece copies them. Real ones have a few. */
const maxFields = 32;

/** Nothing real has so many fields; to copy a million takes seconds. */
const mostFields = 1_024;

const namesOf = (record: object): readonly string[] => {
  const names = Object.keys(record);
  return names.length > mostFields ? [] : names;
};

/** Keeps what one answer says beyond what is modelled, within bounds. */
export interface ExtrasKeeper {
  /** The name of the provider that says it; `undefined` where it is not known. */
  readonly provider: string | undefined;
  /** The fields as they came; `undefined` where there are none, or no room is left for them. */
  keep(fields: Extras | undefined): Extras | undefined;
}

export function extrasKeeper(provider?: string): ExtrasKeeper {
  let room = maxCharacters;
  return {
    provider,
    keep(fields) {
      if (fields === undefined) return undefined;
      const size = sizeOf(fields, deepest);
      // What is nested beyond reason is left out alone. What is too large is the end of it: half of what was signed
      // is worth nothing.
      if (size !== Infinity) room -= size;
      return size === Infinity || room < 0 ? undefined : fields;
    },
  };
}

/** Characters in names and strings, other values as 8; `Infinity` for what is nested too deep. */
function sizeOf(value: unknown, depth: number): number {
  if (typeof value === 'string') return value.length;
  if (typeof value !== 'object' || value === null) return 8;
  if (depth === 0) return Infinity;
  let size = 0;
  for (const key of Object.keys(value)) {
    size += key.length + sizeOf((value as Record<string, unknown>)[key], depth - 1);
  }
  return size;
}

/** Whether a value is nested no deeper than what is kept of an answer. */
export const isWithinDepth = (value: unknown): boolean => sizeOf(value, deepest) !== Infinity;

/**
 * Joins what comes later to what came before: records field by field, lists as `reasoning_details` are, and
 * of anything else the later value counts, unless it is `null` or empty. A record of more than 32 fields stays as it
 * came.
 */
export function joinExtras(before: Extras | undefined, added: Extras | undefined): Extras {
  if (before === undefined || added === undefined) return before ?? added ?? {};
  const names = Object.keys(before);
  if (names.length > maxFields) return before;
  const joined = new Map(names.map((name) => [name, before[name]]));
  for (const name of Object.keys(added)) {
    if (joined.size < maxFields || joined.has(name))
      joined.set(name, joinValues(joined.get(name), added[name]));
  }
  // Not by assignment: a name may be `__proto__`.
  return Object.fromEntries(joined);
}

function joinValues(before: unknown, added: unknown): unknown {
  if (Array.isArray(before) && Array.isArray(added)) return joinDetails(before, added);
  if (isRecord(before) && isRecord(added)) return joinExtras(before, added);
  return isNothing(added) && before !== undefined ? before : added;
}

const isNothing = (value: unknown): boolean => value === undefined || value === null || value === '';

const callFields: readonly string[] = ['id', 'index', 'type', 'function', 'custom'];
const bodyFields: readonly string[] = ['name', 'arguments', 'input'];

/**
 * What an entry of `tool_calls` says beyond the call: Gemini 3's `extra_content`, LiteLLM's
 * `provider_specific_fields`, and whatever else stands there or beside the name and the arguments.
 */
export function callExtras(entry: Record<string, unknown>): Extras | undefined {
  let extras = fieldsBut(entry, callFields);
  for (const name of ['function', 'custom'] as const) {
    const body = own(entry, name);
    const inner = isRecord(body) ? fieldsBut(body, bodyFields) : undefined;
    if (inner !== undefined) extras = { ...extras, [name]: inner };
  }
  return extras;
}

function fieldsBut(record: Record<string, unknown>, modelled: readonly string[]): Extras | undefined {
  let fields: [string, unknown][] | undefined;
  for (const name of namesOf(record)) {
    if (!modelled.includes(name) && !isNothing(record[name])) (fields ??= []).push([name, record[name]]);
  }
  return fields && Object.fromEntries(fields);
}

/**
 * Names of a message's fields that have to go back: signatures, encrypted reasoning and blocks of it, under
 * whatever name, and the two in which gateways put them. Any other field of a message is the provider's own affair (log
 * probabilities, annotations, audio), and many refuse to see it again.
 */
const signed =
  /^(?:reasoning|thinking|thought|cot)_|signature|encrypted|^(?:extra_content|provider_specific_fields)$/;

/** What is read as reasoning. */
const readAsText =
  /^(?:reasoning_content|reasoning_text|reasoning_details|reasoning_summary|thinking_content)$/;

/** What a delta, or a message, says beside its text that has to go back. */
export function messageExtras(delta: Record<string, unknown>): Extras | undefined {
  let fields: [string, unknown][] | undefined;
  for (const name of namesOf(delta)) {
    if (!signed.test(name) || readAsText.test(name)) continue;
    const value = withoutFlags(delta[name]);
    if (value !== undefined) (fields ??= []).push([name, value]);
  }
  return fields && Object.fromEntries(fields);
}

/**
 * A flag or a figure tells of one delta (Gemini marks a thought with `thought: true`) and would be untrue of the
 * message. Entries of lists stay as they came, and so does what is nested more than two levels deep.
 */
function withoutFlags(value: unknown, levels = 2): unknown {
  if (Array.isArray(value)) return value.length === 0 ? undefined : value;
  if (!isRecord(value)) return typeof value === 'string' && value !== '' ? value : undefined;
  if (levels === 0) return value;
  const fields = namesOf(value).flatMap((name) => {
    const inner = withoutFlags(value[name], levels - 1);
    return inner === undefined ? [] : [[name, inner] as const];
  });
  return fields.length === 0 ? undefined : Object.fromEntries(fields);
}
