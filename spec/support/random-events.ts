import fc from 'fast-check';
import { concatMap, delay, from, type Observable, of, type SchedulerLike } from 'rxjs';
import { TransportError } from '../../src/turn/errors.js';
import type { ContentPart, OutputItemDoneEvent, ResponseEvent, ResponseItem } from '../../src/turn/events.js';
import type { RunEvent } from '../../src/turn/run-events.js';
import { completed } from './events.js';

/** An event, and the milliseconds since the one before it. */
export interface TimedEvent {
  readonly event: ResponseEvent;
  readonly gap: number;
}

const said = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.constantFrom('Hel', 'lo', ' wor', 'ld,', ' ', "'t", '3.', '14', '\r', '\n', ''),
  },
  {
    weight: 2,
    arbitrary: fc.constantFrom('你好世', '界。', '👩‍', '👧', '\ud83d', '\ude00', 'e', '\u0301', '🇫', '🇷'),
  },
  { weight: 1, arbitrary: fc.string({ unit: 'grapheme', maxLength: 40 }) },
);

const detail = fc.record(
  {
    type: fc.constantFrom('reasoning.text', 'reasoning.summary', 'reasoning.encrypted'),
    index: fc.constantFrom(0, 1),
    id: fc.constantFrom('a', 'b', null),
    text: fc.constantFrom('x', 'y'),
    summary: fc.constantFrom('s'),
    signature: fc.constantFrom('sig'),
  },
  { requiredKeys: ['type'] },
);

const message = (content: readonly ContentPart[]): ResponseItem => ({
  type: 'message',
  role: 'assistant',
  content,
});

const textPart = said.map((text): ContentPart => ({ type: 'output_text', text }));
const refusalPart = said.map((refusal): ContentPart => ({ type: 'refusal', refusal }));

const item: fc.Arbitrary<ResponseItem> = fc.oneof(
  { weight: 12, arbitrary: textPart.map((part) => message([part])) },
  { weight: 2, arbitrary: refusalPart.map((part) => message([part])) },
  { weight: 1, arbitrary: fc.tuple(textPart, refusalPart).map(message) },
  {
    weight: 1,
    arbitrary: said.map((text): ResponseItem => ({ ...user, content: [{ type: 'input_text', text }] })),
  },
  {
    weight: 5,
    arbitrary: fc
      .tuple(fc.array(said, { maxLength: 2 }), fc.array(detail, { maxLength: 2 }))
      .map(([texts, details]): ResponseItem => ({
        type: 'reasoning',
        content: texts.map((text) => ({ type: 'reasoning_text', text })),
        ...(details.length > 0 && { reasoning_details: details }),
      })),
  },
  {
    weight: 1,
    arbitrary: fc.constantFrom<ResponseItem>(
      { type: 'function_call', call_id: 'a', name: 'f', arguments: '{}' },
      { type: 'custom_tool_call', call_id: 'b', name: 'g', input: 'x' },
      { type: 'function_call_output', call_id: 'a', output: '1' },
    ),
  },
);

const user = { type: 'message', role: 'user' } as const;

const choice = fc.constantFrom({}, {}, {}, { choice: 1 });

const anyEvent: fc.Arbitrary<ResponseEvent> = fc.oneof(
  {
    weight: 10,
    arbitrary: fc
      .tuple(item, choice)
      .map(([what, which]): OutputItemDoneEvent => ({ type: 'output_item_done', item: what, ...which })),
  },
  {
    weight: 3,
    arbitrary: fc
      .tuple(fc.constantFrom('a', 'b'), fc.constantFrom('', 'f'), said, choice)
      .map(([callId, name, delta, which]): ResponseEvent => ({
        type: 'function_call_arguments_delta',
        callId,
        name,
        index: 0,
        delta,
        ...which,
      })),
  },
  {
    weight: 1,
    arbitrary: fc.constantFrom<ResponseEvent>(
      { type: 'retrying', attempt: 1, delay: 200, error: new TransportError() },
      { type: 'chunk', chunk: { id: 'c' } },
      completed({ finishReason: 'stop', choices: [{ choice: 1, finishReason: 'length' }] }),
    ),
  },
);

const gap = fc.oneof(
  { weight: 4, arbitrary: fc.constant(0) },
  { weight: 4, arbitrary: fc.nat(30) },
  { weight: 1, arbitrary: fc.nat(1_500) },
);

/** Events of every kind, in any order, at any time. */
export const timedEvents = fc.array(fc.record({ event: anyEvent, gap }), { maxLength: 40 });

/** Plays them in the time of a scheduler. */
export function played(events: readonly TimedEvent[], scheduler: SchedulerLike): Observable<ResponseEvent> {
  return from(events).pipe(
    concatMap(({ event, gap }) => (gap === 0 ? of(event) : of(event).pipe(delay(gap, scheduler)))),
  );
}

/** Consecutive pieces of the same thing as one, so that two ways to cut them are alike. */
export function story(events: readonly RunEvent[]): readonly unknown[] {
  const told: { of: unknown; text: string; details: unknown[] }[] = [];
  for (const event of events) {
    const { of: what, text, details } = pieceOf(event);
    const last = told.at(-1);
    if (last !== undefined && typeof what === 'string' && last.of === what) {
      last.text += text;
      last.details.push(...details);
    } else told.push({ of: what, text, details: [...details] });
  }
  return told;
}

function pieceOf(event: RunEvent): { of: unknown; text: string; details: readonly unknown[] } {
  const nothing = { text: '', details: [] };
  if (event.type === 'function_call_arguments_delta')
    return { ...nothing, of: `arguments ${event.callId} ${event.choice ?? 0}`, text: event.delta };
  if (event.type !== 'output_item_done') return { ...nothing, of: event };
  const { item: what } = event;
  if (what.type === 'reasoning')
    return {
      of: `reasoning ${event.choice ?? 0}`,
      text: what.content.map(({ text }) => text).join(''),
      details: what.reasoning_details ?? [],
    };
  if (what.type !== 'message' || what.role !== 'assistant' || what.content.length !== 1)
    return { ...nothing, of: event };
  const [part] = what.content;
  if (part?.type === 'output_text') return { ...nothing, of: `text ${event.choice ?? 0}`, text: part.text };
  if (part?.type === 'refusal') return { ...nothing, of: `refusal ${event.choice ?? 0}`, text: part.refusal };
  return { ...nothing, of: event };
}
