import type { EndDiagnostic, ResponseEvent } from '../../src/index.js';
import { ProviderStreamError } from '../../src/index.js';
import type { Corpus, Expected, Folder, Recording } from '../support/corpus.js';
import { pieces, piecesOf } from './cuts.js';
import { expectedFold, foldExpected } from './fold-expected.js';

/** The kinds of recordings that the library gives whole. */
const kinds: readonly string[] = ['text', 'logprobs', 'empty', 'error'];

/** Whether the events of a turn can say all that this recording holds. */
function isCovered({ kind, expected }: Recording): boolean {
  const holdsOnlyText =
    expected.reasoning === '' && expected.refusal === '' && expected.tool_calls.length === 0;
  return kind === 'error' || ((kind === 'derived' || kinds.includes(kind)) && holdsOnlyText);
}

export function coveredRecordings(corpus: Corpus, folder: Folder): readonly Recording[] {
  return corpus.recordings(folder).filter(isCovered);
}

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
    expect(foldExpected(events)).toEqual(expectedFold(expected));
    expect(error).toBeUndefined();
    expect(events.findIndex(({ type }) => type === 'completed')).toBe(events.length - 1);
  } else {
    expect(foldExpected(events).content).toBe(expected.content);
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
