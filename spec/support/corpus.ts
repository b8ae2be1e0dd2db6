import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';

/** Recorded answers of real providers. They are others' work, so they stand beside the project, not in it. */
const root = resolve(__dirname, '../../../shared/corpus');

/** Usage as a provider wrote it. */
export type WireUsage = Readonly<Record<string, unknown>>;

export interface ExpectedToolCall {
  readonly index: number;
  readonly id: string | null;
  readonly name: string | null;
  readonly arguments: string;
}

interface ExpectedChoice {
  readonly index: number;
  readonly content: string;
  readonly reasoning: string;
  readonly refusal: string;
  readonly finish_reason: string | null;
  readonly tool_calls: readonly ExpectedToolCall[];
}

/** What an answer says once it is folded: of its first choice, and of each. */
export interface Expected {
  readonly done: boolean;
  readonly id: string | null;
  readonly model: string | null;
  readonly content: string;
  readonly reasoning: string;
  readonly refusal: string;
  readonly tool_calls: readonly ExpectedToolCall[];
  readonly finish_reason: string | null;
  readonly usage: WireUsage | null;
  readonly choices: readonly ExpectedChoice[];
  readonly comments: number;
  readonly errors: readonly { readonly event: string; readonly body: unknown }[];
  readonly unparsable_data?: readonly string[] | null;
  /** What differs where the block that no blank line ended is dropped, as WHATWG demands. */
  readonly expected_if_last_event_dropped?: Partial<Expected>;
}

export interface Recording {
  readonly name: string;
  readonly kind: string;
  readonly exercises?: readonly string[];
  readonly http_status?: number;
  readonly response_headers?: Readonly<Record<string, string>>;
  /** Sizes of the reads that the recorder saw. */
  readonly network_chunks?: readonly number[];
  readonly expected: Expected;
}

interface EventStreamCase {
  readonly name: string;
  readonly bytes_b64: string;
  readonly chunks_b64?: readonly string[];
  /** `id` is WHATWG's last event id at the time of the dispatch. */
  readonly expected: readonly { readonly event: string; readonly data: string; readonly id: string }[];
  readonly comment_lines: number;
}

interface HttpErrorAnswer {
  readonly name: string;
  readonly provider: string;
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

export type Folder = 'recordings' | 'handwritten' | 'derived';

export interface Corpus {
  recordings(folder: Folder): readonly Recording[];
  /** A recording's body. */
  bytes(folder: Folder, name: string): Uint8Array;
  eventStreamCases(): readonly EventStreamCase[];
  httpErrors(): readonly HttpErrorAnswer[];
}

function readJson<T>(...path: readonly string[]): T {
  return JSON.parse(readFileSync(join(root, ...path), 'utf8')) as T;
}

function readFolder<T>(folder: string): readonly T[] {
  return readdirSync(join(root, folder))
    .filter((file) => file.endsWith('.json'))
    .sort()
    .map((file) => readJson<T>(folder, file));
}

/**
 * Expectations that were wrong, by the recording's name. Mistral names the call in its first fragment and
 * writes the id "null" in the one that goes on: that is one call, with arguments that parse, and not two
 * of which one has no name.
 */
const corrections: Readonly<Record<string, readonly ExpectedToolCall[]>> = {
  'mistral-toolcall-vibe-0-011fc0': [
    {
      index: 0,
      id: 'fake_id_1234',
      name: 'some_tool',
      arguments: '{"some_argument": "some_argument_value"}',
    },
  ],
};

function corrected(recording: Recording): Recording {
  const tool_calls = corrections[recording.name];
  if (tool_calls === undefined) return recording;
  const { expected } = recording;
  const choices = expected.choices.map((choice) => ({ ...choice, tool_calls }));
  return { ...recording, expected: { ...expected, tool_calls, choices } };
}

/** Recordings expect no usage where Groq tells it in `x_groq` alone, which counts here: it is read from the body. */
function withGroqUsage(folder: Folder, recording: Recording): Recording {
  const { name, exercises = [], expected } = recording;
  if (!exercises.includes('usage:x_groq') || expected.usage !== null) return recording;
  const chunks = readFileSync(join(root, folder, `${name}.sse`), 'utf8').match(/^data: \{.*$/gm) ?? [];
  const usages = chunks.flatMap((line): readonly WireUsage[] => {
    const { x_groq: groq } = JSON.parse(line.slice('data: '.length)) as { x_groq?: { usage?: WireUsage } };
    return groq?.usage === undefined ? [] : [groq.usage];
  });
  return { ...recording, expected: { ...expected, usage: usages.at(-1) ?? null } };
}

const corpus: Corpus = {
  recordings: (folder) =>
    readFolder<Recording>(folder).map((recording) => withGroqUsage(folder, corrected(recording))),
  bytes: (folder, name) => new Uint8Array(readFileSync(join(root, folder, `${name}.sse`))),
  eventStreamCases: () =>
    readJson<{ readonly cases: readonly EventStreamCase[] }>('sse-format', 'cases.json').cases,
  httpErrors: () => readFolder<HttpErrorAnswer>('http-errors'),
};

/** Describes behaviour over the corpus; where it is not there, the one test says that nothing was tested. */
export function describeCorpus(title: string, describeWith: (corpus: Corpus) => void): void {
  describe(title, () => {
    if (existsSync(root)) {
      describeWith(corpus);
      return;
    }
    it('the corpus is not here: nothing of it was tested', () => {
      console.info(`${title}: the corpus is not here, nothing of it was tested.`);
      expect(existsSync(root)).toBe(false);
    });
  });
}
