import { isRecord, own } from './wire.js';

/** The parts of a detail that arrive in pieces. */
const pieces: readonly string[] = ['text', 'summary'];

/**
 * How many entries are kept: a hostile stream would go on, and each snapshot of a turn has a copy of the
 * list. Whole accounts have some dozens.
 */
const maxDetails = 4_096;

/** How many fields an entry may have that is gone on with: each piece copies them. Real ones have six. */
const maxFields = 32;

/**
 * One provider's account of its reasoning, put together from what arrived in pieces: an entry that goes
 * on with the one before it (same type and index, and text or a summary) is joined to it; any other
 * stays an entry of its own. In this form providers take it back. Once there are 4,096 entries, what
 * follows is left out.
 */
export function joinDetails(details: readonly unknown[], added: readonly unknown[]): readonly unknown[] {
  if (details.length >= maxDetails) return details;
  const joined = [...details];
  for (const detail of added) {
    if (joined.length >= maxDetails) break;
    const whole = join(joined.at(-1), detail);
    if (whole === undefined) joined.push(detail);
    else joined[joined.length - 1] = whole;
  }
  return joined;
}

function join(before: unknown, detail: unknown): object | undefined {
  if (!isRecord(before) || !isRecord(detail) || !isContinued(before, detail)) return undefined;
  let whole: Record<string, unknown> = { ...before };
  for (const key of Object.keys(detail)) {
    const [start, rest] = [own(before, key), detail[key]];
    const continues = typeof start === 'string' && typeof rest === 'string' && pieces.includes(key);
    const value = continues ? start + rest : rest;
    // Most of an entry is what it was.
    if (value === null || value === undefined || value === start) continue;
    if (start !== undefined) whole[key] = value;
    // Not by assignment: a key may be `__proto__`.
    else whole = { ...whole, [key]: value };
  }
  return whole;
}

/** Whether a detail goes on with the one before it: text or a summary does, until a signature ends it. */
function isContinued(before: Record<string, unknown>, detail: Record<string, unknown>): boolean {
  if (own(before, 'type') !== own(detail, 'type') || own(before, 'index') !== own(detail, 'index'))
    return false;
  if (typeof own(before, 'signature') === 'string') return false;
  if (Object.keys(before).length > maxFields) return false;
  const [id, otherId] = [own(before, 'id'), own(detail, 'id')];
  if (typeof id === 'string' && typeof otherId === 'string' && id !== otherId) return false;
  const hasPiece = pieces.some(
    (key) => typeof own(before, key) === 'string' && typeof own(detail, key) === 'string',
  );
  return hasPiece || typeof own(detail, 'signature') === 'string';
}
