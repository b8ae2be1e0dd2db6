import type { MessageItem, ResponseEvent, TokenUsage } from './events.js';

/**
 * Where a turn stands:
 * - `'waiting'`: nothing of the answer has come yet
 * - `'retrying'`: a request failed and the next one is being waited for (only with `includeRetries`)
 * - `'streaming'`: a part of the answer has come
 * - `'completed'`: the turn is over
 */
export type TurnStatus = 'waiting' | 'retrying' | 'streaming' | 'completed';

/** A turn so far: an immutable snapshot, one for each event. */
export interface Turn {
  readonly status: TurnStatus;
  /** The assistant's text so far. */
  readonly text: string;
  /** `''` until the turn is completed, and where the stream held none. */
  readonly responseId: string;
  readonly model: string | undefined;
  readonly finishReason: string | null;
  readonly usage: TokenUsage | null;
}

/** A turn of which nothing has come yet. */
export const emptyTurn: Turn = /* @__PURE__ */ Object.freeze({
  status: 'waiting',
  text: '',
  responseId: '',
  model: undefined,
  finishReason: null,
  usage: null,
});

/** The text that one assistant item carries: its first text part (C15). */
export function assistantText(item: MessageItem): string {
  if (item.role !== 'assistant') return '';
  for (const part of item.content) if (part.type === 'output_text') return part.text;
  return '';
}

/**
 * The one fold: what a turn is after one more event. `accumulate()` and `aggregate()` stand on it,
 * and a store (NgRx, Redux) can use it as its reducer.
 *
 * The event after `completed` starts a new turn. The text that grows is never read here, so a fold
 * over n deltas costs O(n): engines keep the sum of strings as a tree until somebody reads it.
 *
 * @example
 * ```ts
 * const turn = events.reduce(reduceTurn, emptyTurn);
 * console.log(turn.status, turn.text);
 * ```
 */
export function reduceTurn(turn: Turn, event: ResponseEvent): Turn {
  const base = turn.status === 'completed' ? emptyTurn : turn;
  switch (event.type) {
    case 'output_item_done':
      return {
        status: 'streaming',
        text: base.text + assistantText(event.item),
        responseId: base.responseId,
        model: base.model,
        finishReason: base.finishReason,
        usage: base.usage,
      };
    case 'completed':
      return {
        status: 'completed',
        text: base.text,
        responseId: event.responseId,
        model: event.model,
        finishReason: event.finishReason,
        usage: event.usage,
      };
    case 'retrying':
      return { ...base, status: 'retrying' };
    default:
      return base;
  }
}
