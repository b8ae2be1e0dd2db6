import { isRecord, own } from './wire.js';

/** The parts of a detail that arrive in pieces. */
const pieces: readonly string[] = ['text', 'summary', 'thinking'];

/**
 * How many entries are kept, against hostile streams: each snapshot of a turn copies the list. Real ones have a
 * few dozen.
 */
const maxDetails = 4_096;

/** How many fields a growing entry may have: each piece copies them. Real ones have six. */
const maxFields = 32;

/** How far back a separate signature looks for the entry that it signs. */
const lookBack = 32;

/**
 * Assembles a provider's structured reasoning from its pieces. An entry that continues the previous one (same
 * type and index, with text, a summary or thinking) is joined to it, and a separate signature is joined to the
 * unsigned entry of its type and index; any other entry stays separate. Providers accept this form back:
 * OpenRouter's `reasoning_details` and LiteLLM's `thinking_blocks`. Entries beyond 4,096 are dropped.
 */
export function joinDetails(details: readonly unknown[], added: readonly unknown[]): readonly unknown[] {
  if (details.length >= maxDetails) return details;
  const joined = [...details];
  for (const detail of added) {
    if (joined.length >= maxDetails) break;
    const place = placeOf(joined, detail);
    const whole = join(joined[place], detail);
    if (whole === undefined) joined.push(detail);
    else joined[place] = whole;
  }
  return joined;
}

/** The entry that a detail may continue: the last one, or the one that it signs. */
function placeOf(details: readonly unknown[], detail: unknown): number {
  const last = details.length - 1;
  if (!isRecord(detail) || !isSigned(detail) || hasPiece(detail)) return last;
  for (let place = last; place >= 0 && place > last - lookBack; place -= 1) {
    const before = details[place];
    if (isRecord(before) && isContinued(before, detail)) return place;
  }
  return last;
}

function join(before: unknown, detail: unknown): object | undefined {
  if (!isRecord(before) || !isRecord(detail) || !isContinued(before, detail)) return undefined;
  let whole: Record<string, unknown> = { ...before };
  for (const key of Object.keys(detail)) {
    const [start, rest] = [own(before, key), detail[key]];
    const continues = typeof start === 'string' && typeof rest === 'string' && pieces.includes(key);
    const value = continues ? start + rest : rest;
    // Most of an entry is unchanged.
    if (value === null || value === undefined || value === start) continue;
    if (value === '' && start !== undefined && start !== null) continue;
    if (start !== undefined) whole[key] = value;
    // Not by assignment: a key may be `__proto__`.
    else whole = { ...whole, [key]: value };
  }
  return whole;
}

/** Whether a detail continues the previous one: text and summaries do, until a signature. */
function isContinued(before: Record<string, unknown>, detail: Record<string, unknown>): boolean {
  if (own(before, 'type') !== own(detail, 'type') || own(before, 'index') !== own(detail, 'index'))
    return false;
  if (isSigned(before)) return false;
  if (Object.keys(before).length > maxFields) return false;
  const [id, otherId] = [own(before, 'id'), own(detail, 'id')];
  if (typeof id === 'string' && typeof otherId === 'string' && id !== otherId && otherId !== '') return false;
  const goesOn = pieces.some(
    (key) => typeof own(before, key) === 'string' && typeof own(detail, key) === 'string',
  );
  return goesOn || isSigned(detail);
}

/** An empty or `null` signature does not count yet. */
function isSigned(detail: Record<string, unknown>): boolean {
  const signature = own(detail, 'signature');
  return typeof signature === 'string' && signature !== '';
}

const hasPiece = (detail: Record<string, unknown>): boolean => pieces.some((key) => own(detail, key));
