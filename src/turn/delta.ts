import { type Extras, joinExtras } from './extras.js';
import type { FunctionCallArgumentsDeltaEvent, OutputItemDoneEvent } from './events.js';
import { reasoningItem } from './reasoning-item.js';
import type { RunEvent } from './run-events.js';

/** What an event adds to something that is written bit by bit. It may grow by what comes after it. */
export interface Delta {
  readonly kind: 'text' | 'refusal' | 'reasoning' | 'arguments';
  /** The event that it came with, the latest one where it has grown. */
  event: OutputItemDoneEvent | FunctionCallArgumentsDeltaEvent;
  text: string;
  details: unknown[];
  /** Of reasoning. */
  extras?: Extras | undefined;
  provider?: string | undefined;
  /** Whether it says anything else than its event. */
  isChanged: boolean;
}

/** Reads an event; `undefined` where it is no piece of anything. */
export function deltaOf(event: RunEvent): Delta | undefined {
  if (event.type === 'function_call_arguments_delta')
    return { kind: 'arguments', event, text: event.delta, details: [], isChanged: false };
  if (event.type !== 'output_item_done') return undefined;
  const { item } = event;
  if (item.type === 'reasoning') {
    let text = '';
    for (const part of item.content) text += part.text;
    const details = [...(item.reasoning_details ?? [])];
    const { extras, provider } = item;
    return { kind: 'reasoning', event, text, details, extras, provider, isChanged: false };
  }
  if (item.type !== 'message' || item.role !== 'assistant' || item.content.length !== 1) return undefined;
  const part = item.content[0];
  if (part?.type === 'output_text')
    return { kind: 'text', event, text: part.text, details: [], isChanged: false };
  if (part?.type === 'refusal')
    return { kind: 'refusal', event, text: part.refusal, details: [], isChanged: false };
  return undefined;
}

/** Whether what comes after a delta belongs to the same thing. */
export function continues(delta: Delta, after: Delta): boolean {
  return (
    delta.kind === after.kind &&
    delta.event.choice === after.event.choice &&
    callOf(delta.event) === callOf(after.event)
  );
}

function callOf(event: Delta['event']): string | undefined {
  return event.type === 'function_call_arguments_delta' ? event.callId : undefined;
}

/** Adds what comes after a delta to it. */
export function append(delta: Delta, after: Delta): void {
  // The name of a call may come after the beginning of its arguments.
  delta.event = after.event;
  delta.text += after.text;
  // One after the other, not put together: the fold does that, entry by entry, to the same end.
  for (const detail of after.details) delta.details.push(detail);
  if (after.extras !== undefined) delta.extras = joinExtras(delta.extras, after.extras);
  delta.provider = after.provider ?? delta.provider;
  delta.isChanged = true;
}

/** The event of a delta: the one it came with where that says the same. */
export function eventOf(delta: Delta): Delta['event'] {
  const { event, text, isChanged } = delta;
  if (!isChanged) return event;
  if (event.type === 'function_call_arguments_delta') return { ...event, delta: text };
  return { ...event, item: itemOf(delta) };
}

function itemOf({ kind, text, details, extras, provider }: Delta): OutputItemDoneEvent['item'] {
  if (kind === 'reasoning') return reasoningItem(text, details, { extras, provider });
  return {
    type: 'message',
    role: 'assistant',
    content: [kind === 'refusal' ? { type: 'refusal', refusal: text } : { type: 'output_text', text }],
  };
}
