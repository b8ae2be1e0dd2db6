import {
  type Attempt,
  defaultSettings,
  type Drawing,
  type Item,
  limits,
  outputs,
  type Plain,
  plainKinds,
  type Settings,
  sorted,
  statuses,
} from './drawing.js';

/** A drawing with the place of its cursor: what a link holds. */
export interface Shared {
  readonly drawing: Drawing;
  /** Milliseconds; without one the whole turn is shown. */
  readonly cursor?: number | undefined;
}

/** The form of what stands behind the `#`. A change that old links do not survive takes the next number. */
const version = '1';
const longest = 12_000;

// In this order for ever: a link holds their places.
const itemCodes: readonly Plain[] = plainKinds;

/**
 * What stands behind the `#` of a link: the version, a dot, and a JSON array in base64url:
 * `[attempts, settings, cursor]`, where an item is `[time, code, ...]` and a setting that is off is `null`.
 */
export function toHash({ drawing: { attempts, settings }, cursor }: Shared): string {
  const value = [
    attempts.map((attempt) => sorted(attempt).map(packed)),
    [
      Number(settings.includeRetries),
      settings.maxRetries,
      settings.initialDelay,
      settings.responseTimeout ?? null,
      settings.idleTimeout ?? null,
      Number(settings.requireFinish),
      Number(settings.restartOnBreak),
      settings.stopWhen ?? null,
      settings.smooth ?? null,
      settings.coalesce ?? null,
      outputs.indexOf(settings.output),
      settings.unsubscribe ?? null,
    ],
    cursor ?? null,
  ];
  const bytes = new TextEncoder().encode(JSON.stringify(value));
  const text = btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(''));
  return `${version}.${text.replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '')}`;
}

function packed(item: Item): readonly unknown[] {
  switch (item.kind) {
    case 'headers':
      return [item.at, 'h', item.status, ...(item.retryAfter === undefined ? [] : [item.retryAfter])];
    case 'text':
      return [item.at, 't', item.text];
    case 'flood':
      return [item.at, 'f', item.count, item.every];
    default:
      return [item.at, itemCodes.indexOf(item.kind)];
  }
}

/**
 * What a link holds. Links come from anywhere: a field is used after it was checked.
 *
 * @returns `undefined` where it is none of this version, or anything in it is not as it has to be
 */
export function fromHash(hash: string): Shared | undefined {
  const [, found, text] = /^#?(\d{1,3})\.([\w-]+)$/.exec(hash.slice(0, longest + 1)) ?? [];
  if (found !== version || text === undefined || hash.length > longest) return undefined;
  try {
    const bytes = Uint8Array.from(atob(text.replaceAll('-', '+').replaceAll('_', '/')), (character) =>
      character.charCodeAt(0),
    );
    const [attempts, settings, cursor] = list(
      JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes)),
      3,
      3,
    );
    return {
      drawing: {
        attempts: list(attempts, 1, limits.attempts).map((attempt): Attempt =>
          sorted(list(attempt, 0, limits.items).map(unpacked)),
        ),
        settings: settingsOf(list(settings, 12, 12)),
      },
      cursor: optional(cursor, limits.time * 20),
    };
  } catch {
    return undefined;
  }
}

function unpacked(value: unknown): Item {
  const [time, code, first, second] = list(value, 2, 4);
  const at = whole(time, 0, limits.time);
  switch (code) {
    case 'h': {
      const status = statuses.find((each) => each === first);
      if (status === undefined) throw new TypeError('status');
      const retryAfter = second === undefined ? undefined : whole(second, 0, limits.retryAfter);
      return { kind: 'headers', at, status, ...(retryAfter !== undefined && { retryAfter }) };
    }
    case 't':
      if (typeof first !== 'string' || first.length > limits.text) throw new TypeError('text');
      return { kind: 'text', at, text: first };
    case 'f':
      return {
        kind: 'flood',
        at,
        count: whole(first, 1, limits.count),
        every: whole(second, 1, limits.every),
      };
    default: {
      const kind = itemCodes[whole(code, 0, itemCodes.length - 1)];
      if (kind === undefined) throw new TypeError('kind');
      return { kind, at };
    }
  }
}

function settingsOf(values: readonly unknown[]): Settings {
  const [retries, maxRetries, initialDelay, response, idle, finish, restart, stop, pace, due, out, leave] =
    values;
  return {
    ...defaultSettings,
    includeRetries: whole(retries, 0, 1) === 1,
    maxRetries: whole(maxRetries, 0, limits.maxRetries),
    initialDelay: whole(initialDelay, 1, limits.time),
    responseTimeout: optional(response, limits.time, 1),
    idleTimeout: optional(idle, limits.time, 1),
    requireFinish: whole(finish, 0, 1) === 1,
    restartOnBreak: whole(restart, 0, 1) === 1,
    stopWhen: optional(stop, limits.time),
    smooth: optional(pace, limits.time, 1),
    coalesce: optional(due, limits.time, 1),
    output: outputs[whole(out, 0, outputs.length - 1)] ?? 'events',
    unsubscribe: optional(leave, limits.time),
  };
}

function list(value: unknown, least: number, most: number): readonly unknown[] {
  if (!Array.isArray(value) || value.length < least || value.length > most) throw new TypeError('list');
  return value;
}

function whole(value: unknown, least: number, most: number): number {
  if (typeof value !== 'number' || !Number.isInteger(value) || value < least || value > most) {
    throw new TypeError('number');
  }
  return value;
}

const optional = (value: unknown, most: number, least = 0): number | undefined =>
  value === null ? undefined : whole(value, least, most);
