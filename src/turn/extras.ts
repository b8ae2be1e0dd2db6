import { joinDetails } from './reasoning-details.js';
import { isRecord, own } from './wire.js';

/**
 * Provider-specific fields of an item, unchanged. The next request sends them back in the same place.
 *
 * At most 4,194,304 characters of one response are kept, names included, nested up to 100 levels deep; an
 * object with more than 1,024 fields is dropped.
 */
export type Extras = Readonly<Record<string, unknown>>;

/** How many characters of one response are kept: signed reasoning is as long as the reasoning. */
const maxCharacters = 4_194_304;

/** Real values are a few levels deep. JSON can be read at any depth, but not written. */
const deepest = 100;

/** How many fields a joined record may have: each piece copies them. Real ones have a few. */
const maxFields = 32;

/** Real objects have far fewer fields; copying a million takes seconds. */
const mostFields = 1_024;

const namesOf = (record: object): readonly string[] => {
  const names = Object.keys(record);
  return names.length > mostFields ? [] : names;
};

/** Keeps the fields of one response that are not modelled, within limits. */
export interface ExtrasKeeper {
  /** The name of the provider that sends them; `undefined` if unknown. */
  readonly provider: string | undefined;
  /** The fields, unchanged; `undefined` if there are none, or the limit is reached. */
  keep(fields: Extras | undefined): Extras | undefined;
}

export function extrasKeeper(provider?: string): ExtrasKeeper {
  let room = maxCharacters;
  return {
    provider,
    keep(fields) {
      if (fields === undefined) return undefined;
      const size = sizeOf(fields, deepest);
      // A value nested too deep is left out alone. After one that is too large nothing more is kept: half of a
      // signed text is useless.
      if (size !== Infinity) room -= size;
      return size === Infinity || room < 0 ? undefined : fields;
    },
  };
}

/** Characters in names and strings, 8 for any other value; `Infinity` for one nested too deep. */
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

/** Whether a value is within the depth limit. */
export const isWithinDepth = (value: unknown): boolean => sizeOf(value, deepest) !== Infinity;

/**
 * Merges later extras into earlier ones: records field by field, lists as `reasoning_details` are, and for
 * anything else the later value wins unless it is `null` or empty. A record of more than 32 fields is not
 * merged.
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
 * The unmodelled fields of an entry in `tool_calls`: Gemini 3's `extra_content`, LiteLLM's
 * `provider_specific_fields`, and any other, also next to the name and the arguments.
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
 * Names of message fields that must be sent back: signatures and encrypted reasoning under their many names,
 * and the two fields in which gateways wrap them. Other fields (log probabilities, annotations, audio) stay
 * out: many providers reject them in a request.
 */
const signed =
  /^(?:reasoning|thinking|thought|cot)_|signature|encrypted|^(?:extra_content|provider_specific_fields)$/;

/** Fields that are read as reasoning text. */
const readAsText =
  /^(?:reasoning_content|reasoning_text|reasoning_details|reasoning_summary|thinking_content)$/;

/** The fields of a delta or message that must be sent back, besides its text. */
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
 * Removes flags and numbers, which describe one delta (Gemini marks a thought with `thought: true`) and would
 * be wrong for the message. List entries, and values nested more than two levels deep, stay unchanged.
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
