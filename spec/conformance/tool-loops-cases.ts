import { existsSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { builtInProviders, type ChatOptions, type ModelProvider } from '../../src/index.js';
import type { MockAnswer, WirePiece } from '../../src/mock-provider/index.js';
import type { PlayedTurn } from './tool-loops-run.js';
import { chunksIn } from './tool-loops-rules.js';

/** Cases that others reported. They are others' words, so they stand beside the project, not in it. */
const path = resolve(__dirname, '../../../shared/cases/cases.json');

/** What one of them answers a request with: text, or milliseconds of silence. */
interface CaseAnswer {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string | null>>;
  readonly body?: readonly (string | number | object)[];
  /** `'hang'`: the connection stays open. */
  readonly end?: string;
  /** The connection is closed once the answer is complete, although nothing has said so. */
  readonly idleClose?: boolean;
}

export interface ToolCase {
  readonly id: string;
  readonly title: string;
  readonly provider?: Partial<ModelProvider> & { readonly builtIn?: keyof typeof builtInProviders };
  readonly options?: Partial<ChatOptions>;
  readonly response?: CaseAnswer;
  readonly responses?: readonly CaseAnswer[];
  readonly expected: Readonly<Record<string, unknown>>;
}

export interface CaseCall {
  readonly name?: string;
  readonly arguments?: string;
}

/** The calls that a case expects, as far as it says. */
export function callsOf({ expected }: ToolCase): readonly CaseCall[] | undefined {
  const { calls } = expected;
  if (Array.isArray(calls)) return calls as readonly CaseCall[];
  const count = expected['calls.length'];
  if (typeof count !== 'number') return undefined;
  return Array.from({ length: count }, (_, place) => ({
    ...pick(expected, `calls.${place}.name`, 'name'),
    ...pick(expected, `calls.${place}.arguments`, 'arguments'),
  }));
}

const pick = (from: Readonly<Record<string, unknown>>, key: string, as: string): object =>
  key in from ? { [as]: from[key] } : {};

const answerOf = ({ response, responses }: ToolCase): CaseAnswer | undefined => responses?.[0] ?? response;

const wireOf = ({ body = [] }: CaseAnswer): string =>
  body.filter((piece): piece is string => typeof piece === 'string').join('');

/** The turn of a case and the same one with other ids, as its provider plays them. */
export function turnsOfCase(one: ToolCase): readonly PlayedTurn[] {
  const { builtIn, ...given } = one.provider ?? {};
  const provider: ModelProvider = {
    ...(builtIn === undefined ? { name: 'local', baseUrl: '' } : builtInProviders[builtIn]),
    ...given,
  };
  const answer = answerOf(one)!;
  const ids = idsIn(wireOf(answer));
  return [1, 2].map((turn) => {
    const written = (text: string) => (turn === 1 ? text : withOtherIds(text, ids));
    return { provider, answers: [played(answer, written)], wire: written(wireOf(answer)) };
  });
}

function played(answer: CaseAnswer, written: (text: string) => string): MockAnswer {
  const { status = 200, body = [], end, idleClose = false } = answer;
  const pieces = body.map((piece): WirePiece => {
    if (typeof piece === 'number') return { wait: piece };
    return typeof piece === 'string' ? written(piece) : (piece as Uint8Array);
  });
  if (idleClose) {
    const text = written(wireOf(answer));
    const head = `HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ncontent-length: ${Buffer.byteLength(text)}\r\n\r\n`;
    return { wire: [head, text] };
  }
  return { status, body: end === 'hang' ? [...pieces, { wait: Infinity }] : pieces };
}

/** The ids that calls have in a stream. */
export function idsIn(wire: string): readonly string[] {
  const ids = chunksIn(wire).flatMap(({ choices }) =>
    (Array.isArray(choices) ? (choices as readonly { delta?: Delta; message?: Delta }[]) : []).flatMap(
      ({ delta, message }) =>
        [...(delta?.tool_calls ?? []), ...(message?.tool_calls ?? [])].map(({ id }) => id),
    ),
  );
  return [...new Set(ids.filter((id) => typeof id === 'string' && id !== '' && id !== 'null'))] as string[];
}

interface Delta {
  readonly tool_calls?: readonly { readonly id?: unknown }[] | null;
}

/** The same stream in another turn: each id is another one of the same form, wherever it stands. */
export function withOtherIds(wire: string, ids: readonly string[]): string {
  return wire.replace(/("id" *: *)("(?:[^"\\]|\\.)*")/g, (all, key: string, written: string) => {
    const id = JSON.parse(written) as string;
    return ids.includes(id) ? key + JSON.stringify(otherId(id)) : all;
  });
}

const otherId = (id: string): string =>
  /^[a-zA-Z0-9]{9}$/.test(id) ? id.replace(/^(.*)(.)$/, '$2$1') : `${id}b`;

/** Describes behaviour over the cases with calls; where they are not there, the one test says that nothing was tested. */
export function describeCases(title: string, describeWith: (cases: readonly ToolCase[]) => void): void {
  describe(title, () => {
    if (existsSync(path)) {
      const all = JSON.parse(readFileSync(path, 'utf8')) as readonly ToolCase[];
      describeWith(
        all.filter((one) => answerOf(one) !== undefined && /"tool_calls"/.test(wireOf(answerOf(one)!))),
      );
      return;
    }
    it('the cases are not here: nothing of them was tested', () => {
      console.info(`${title}: the cases are not here, nothing of them was tested.`);
      expect(existsSync(path)).toBe(false);
    });
  });
}
