import { of } from 'rxjs';
import type { EndDiagnostic, ResponseEvent } from '../../src/index.js';
import { aggregate, ProviderStreamError } from '../../src/index.js';
import type { Expected, Recording } from '../support/corpus.js';
import { received } from '../support/marbles.js';
import { pieces, piecesOf } from './cuts.js';
import { expectedFold, foldDeltas, foldExpected, withoutCutCalls } from './fold-expected.js';

export interface Cut {
  readonly cut: string;
  /** The reads that a body arrives in; `undefined` where this cut does not apply. */
  readonly of: (recording: Recording, bytes: Uint8Array) => readonly Uint8Array[] | undefined;
}

export const cuts: readonly Cut[] = [
  { cut: 'whole', of: (_, bytes) => [bytes] },
  {
    cut: 'as the recorder read it',
    of: ({ network_chunks }, bytes) => network_chunks && piecesOf(bytes, network_chunks),
  },
  { cut: 'in pieces of 7 bytes', of: (_, bytes) => pieces(bytes, 7) },
];

/** All that a turn has said. */
export interface PlayedTurn {
  readonly events: readonly ResponseEvent[];
  readonly error: unknown;
  readonly end: EndDiagnostic | undefined;
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null;

function expectFailure(error: unknown, { errors }: Expected): void {
  const body = errors[0]?.body;
  const report = isRecord(body) && isRecord(body['error']) ? body['error'] : {};
  const code = report['code'] ?? undefined;
  expect(error).toBeInstanceOf(ProviderStreamError);
  expect(error).toMatchObject({
    code: typeof code === 'number' ? String(code) : code,
    errorType: report['type'],
    providerMessage: report['message'],
  });
}

/** Expects a turn to have said what the recording holds: no more, no less, and one end. */
export function expectRecorded({ events, error, end }: PlayedTurn, expected: Expected): void {
  if (expected.errors.length === 0) {
    const whole = expectedFold(expected);
    const items = { ...withoutCutCalls(whole), choices: whole.choices.map(withoutCutCalls) };
    expect(foldExpected(events)).toEqual(items);
    expect(foldExpected(received(of(...events).pipe(aggregate())))).toEqual(items);
    const cutCalls = whole.tool_calls.slice(items.tool_calls.length);
    expect(foldDeltas(events).slice(items.tool_calls.length)).toEqual(cutCalls);
    const completed = events.find((event) => event.type === 'completed');
    expect(completed?.incompleteCalls ?? 0).toBe(cutCalls.length);
    expect(error).toBeUndefined();
    expect(events.findIndex(({ type }) => type === 'completed')).toBe(events.length - 1);
  } else {
    expect(foldExpected(events)).toMatchObject({
      content: expected.content,
      reasoning: expected.reasoning,
      refusal: expected.refusal,
    });
    expectFailure(error, expected);
    expect(events.findIndex(({ type }) => type === 'completed')).toBe(-1);
  }
  const { unparsable_data } = { ...expected, ...expected.expected_if_last_event_dropped };
  expect(end).toMatchObject({
    outcome: expected.errors.length === 0 ? 'completed' : 'error',
    comments: expected.comments,
    malformed: unparsable_data?.length ?? 0,
  });
}
