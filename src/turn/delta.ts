import { type Extras, joinExtras } from './extras.js';
import type { FunctionCallArgumentsDeltaEvent, OutputItemDoneEvent } from './events.js';
import { reasoningItem } from './reasoning-item.js';
import type { RunEvent } from './run-events.js';

/** A delta: what an event adds to a text or to a call's arguments. Later deltas can be appended to it. */
export interface Delta {
  readonly kind: 'text' | 'refusal' | 'reasoning' | 'arguments';
  /** Its event; the latest one if deltas were appended. */
  event: OutputItemDoneEvent | FunctionCallArgumentsDeltaEvent;
  text: string;
  details: unknown[];
  /** Of reasoning. */
  extras?: Extras | undefined;
  provider?: string | undefined;
  /** Whether it differs from its event. */
  isChanged: boolean;
}

/** The delta in an event; `undefined` if it has none. */
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

/** Whether the next delta continues the same text or call. */
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

/** Appends the next delta. */
export function append(delta: Delta, after: Delta): void {
  // A call's name may arrive after the start of its arguments.
  delta.event = after.event;
  delta.text += after.text;
  // Concatenated, not joined: the fold joins them entry by entry, with the same result.
  for (const detail of after.details) delta.details.push(detail);
  if (after.extras !== undefined) delta.extras = joinExtras(delta.extras, after.extras);
  delta.provider = after.provider ?? delta.provider;
  delta.isChanged = true;
}

/** The event of a delta: the original one if nothing changed. */
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
