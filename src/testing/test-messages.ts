import { isRecord } from '../turn/wire.js';
import type { Cell } from './marble-rows.js';

/** What `TestScheduler` writes down of a notification. */
export interface TestMessage {
  readonly frame: number;
  readonly notification: {
    readonly kind: 'N' | 'E' | 'C';
    readonly value?: unknown;
    readonly error?: unknown;
  };
}

/** What `TestScheduler` writes down of a subscription: `Infinity` where it did not begin, or did not end. */
export interface SubscriptionLog {
  readonly subscribedFrame: number;
  readonly unsubscribedFrame: number;
}

export const isMessages = (value: unknown): value is readonly TestMessage[] =>
  Array.isArray(value) && value.every(isMessage);

function isMessage(value: unknown): value is TestMessage {
  const { frame, notification } = isRecord(value) ? value : {};
  const { kind } = isRecord(notification) ? notification : {};
  return typeof frame === 'number' && (kind === 'N' || kind === 'E' || kind === 'C');
}

export const isSubscriptions = (value: unknown): value is readonly SubscriptionLog[] =>
  Array.isArray(value) && value.every(isSubscription);

function isSubscription(value: unknown): value is SubscriptionLog {
  const { subscribedFrame, unsubscribedFrame } = isRecord(value) ? value : {};
  return typeof subscribedFrame === 'number' && typeof unsubscribedFrame === 'number';
}

export const signOf = (kind: TestMessage['notification']['kind'], letter: string): string =>
  kind === 'N' ? letter : kind === 'E' ? '#' : '|';

/** What happens at one time, in each of several lists. */
export interface Moment<T> extends Pick<Cell, 'frame'> {
  readonly lists: readonly (readonly T[])[];
}

/** Lists of what happens, by its time. */
export function cellsOf<T extends { readonly frame: number }>(
  lists: readonly (readonly T[])[],
): readonly Moment<T>[] {
  const byFrame = new Map<number, T[][]>();
  for (const [index, list] of lists.entries()) {
    for (const entry of list) {
      // -0 is 0 to a Map.
      const moment = byFrame.get(entry.frame) ?? lists.map(() => []);
      moment[index]?.push(entry);
      byFrame.set(entry.frame, moment);
    }
  }
  // Before a hot source is subscribed to, its frames are negative, and `^` stands at 0.
  if (!byFrame.has(0) && [...byFrame.keys()].some((frame) => frame < 0))
    byFrame.set(
      0,
      lists.map(() => []),
    );
  return [...byFrame].sort(([a], [b]) => a - b).map(([frame, moment]) => ({ frame, lists: moment }));
}
