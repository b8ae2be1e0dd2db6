/** What is drawn on the wire, and what is made of it: the whole state of the playground, apart from its cursor. */
export interface Drawing {
  readonly attempts: readonly Attempt[];
  readonly settings: Settings;
}

/** One request's answer. Times are milliseconds since the request. */
export type Attempt = readonly Item[];

/** Something on the wire. Silence is what lies between two of them. */
export type Item =
  | { readonly kind: 'headers'; readonly at: number; readonly status: number; readonly retryAfter?: number }
  | { readonly kind: 'text'; readonly at: number; readonly text: string }
  | { readonly kind: 'flood'; readonly at: number; readonly count: number; readonly every: number }
  | { readonly kind: Plain; readonly at: number };

export type Plain = 'refused' | 'comment' | 'garbage' | 'error' | 'finish' | 'done' | 'cut' | 'end';
export type Kind = Item['kind'];

/** What is switched on; a number is a time in milliseconds, and `undefined` is off. */
export interface Settings {
  readonly includeRetries: boolean;
  readonly maxRetries: number;
  readonly initialDelay: number;
  readonly responseTimeout?: number | undefined;
  readonly idleTimeout?: number | undefined;
  readonly requireFinish: boolean;
  readonly restartOnBreak: boolean;
  readonly stopWhen?: number | undefined;
  readonly smooth?: number | undefined;
  readonly coalesce?: number | undefined;
  readonly output: Output;
  readonly unsubscribe?: number | undefined;
}

export const outputs = ['events', 'textDeltas', 'accumulate', 'toState', 'aggregate'] as const;
export type Output = (typeof outputs)[number];

export const defaultSettings: Settings = {
  includeRetries: false,
  maxRetries: 4,
  initialDelay: 200,
  requireFinish: false,
  restartOnBreak: false,
  output: 'events',
};

/** What can be drawn, with what it is called. */
export const kinds: Readonly<Record<Kind, string>> = {
  headers: 'headers',
  text: 'text',
  flood: 'flood of text',
  comment: 'comment (heartbeat)',
  garbage: 'garbage',
  error: 'error in the stream',
  finish: 'finish reason',
  done: '[DONE]',
  cut: 'cut',
  end: 'connection closes',
  refused: 'connection refused',
};

/** The kinds of item that have nothing but a time. */
export const plainKinds: readonly Plain[] = [
  'refused',
  'comment',
  'garbage',
  'error',
  'finish',
  'done',
  'cut',
  'end',
];

export const statuses = [200, 400, 401, 429, 500, 503] as const;

/** More than anybody draws; what comes by a link is held to it as well. */
export const limits = {
  attempts: 6,
  items: 60,
  time: 20_000,
  text: 60,
  count: 120,
  every: 1_000,
  /** Events of one attempt: what is drawn beyond them is not sent. */
  chunks: 400,
  retryAfter: 120,
  maxRetries: 10,
} as const;

/** Times are drawn in steps of so many milliseconds. */
export const grid = 10;

export const snapped = (milliseconds: number): number =>
  Math.min(limits.time, Math.max(0, Math.round(milliseconds / grid) * grid));

/** In the order of the wire. Those of one time keep the order in which they were drawn. */
export const sorted = (attempt: Attempt): Attempt => [...attempt].sort((a, b) => a.at - b.at);

/** What a chip of the wire says. */
export function nameOf(item: Item): string {
  switch (item.kind) {
    case 'headers':
      return item.retryAfter === undefined
        ? String(item.status)
        : `${item.status}, Retry-After: ${item.retryAfter}`;
    case 'text':
      return `"${item.text}"`;
    case 'flood':
      return `${item.count} deltas, one every ${item.every} ms`;
    default:
      return kinds[item.kind];
  }
}

/** What is drawn where an item of a kind is added. */
export function newItem(kind: Kind, at: number): Item {
  switch (kind) {
    case 'headers':
      return { kind, at, status: 200 };
    case 'text':
      return { kind, at, text: 'Hello' };
    case 'flood':
      return { kind, at, count: 20, every: 10 };
    default:
      return { kind, at };
  }
}
