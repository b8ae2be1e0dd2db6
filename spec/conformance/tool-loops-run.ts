import { lastValueFrom, materialize, toArray } from 'rxjs';
import {
  type ChatOptions,
  type ModelProvider,
  restartOnBreak,
  type RunEvent,
  runTools,
  streamChatCompletions,
  type Tool,
  type Transport,
} from '../../src/index.js';
import { type MockAnswer, startMockProvider } from '../../src/mock-provider/index.js';
import { faultsOf, saidIn } from './tool-loops-rules.js';

/** One turn as its provider plays it. */
export interface PlayedTurn {
  /** Who is asked. Its address is that of the server. */
  readonly provider: ModelProvider;
  /** One for each request of the turn: those that break, and the one that stands. */
  readonly answers: readonly MockAnswer[];
  /** What the one that stands says. */
  readonly wire: string;
}

export interface PlayedRun {
  readonly turns: readonly PlayedTurn[];
  readonly tools: readonly Tool[];
  readonly options?: Partial<ChatOptions> | undefined;
  readonly repeatsIds?: boolean | undefined;
}

/** What became of a run. */
export interface Outcome {
  readonly events: readonly RunEvent[];
  readonly error: unknown;
  /** What the server found wrong with the requests. */
  readonly faults: readonly string[];
  /** The messages of each request. */
  readonly requests: readonly (readonly Readonly<Record<string, unknown>>[])[];
}

/** Plays a run against a server on 127.0.0.1 that refuses (400) what a strict provider would refuse. */
export async function playRun(
  { turns, tools, options, repeatsIds }: PlayedRun,
  transport: Transport,
): Promise<Outcome> {
  const faults: string[] = [];
  const asked = turns.map(() => 0);
  const before = turns.map(({ provider, wire }) => ({ by: provider.name, said: saidIn(wire) }));
  const mock = await startMockProvider({
    pace: 0,
    answers: ({ body }) => {
      const turn = body.messages.filter(({ role }) => role === 'assistant').length;
      const { provider, answers } = turns[turn] ?? {};
      if (provider === undefined || answers === undefined) {
        faults.push(`turn ${turn + 1} was not expected`);
        return { status: 400 };
      }
      const found = faultsOf(body, { provider, before: before.slice(0, turn), repeatsIds });
      faults.push(...found.map((fault) => `turn ${turn + 1}: ${fault}`));
      if (found.length > 0) return { status: 400, error: { message: found.join('; ') } };
      asked[turn]! += 1;
      return answers[asked[turn]! - 1] ?? { status: 400 };
    },
  });
  try {
    const run = runTools('Rain in Rome?', {
      tools,
      turn: (prompt, step) =>
        streamChatCompletions(prompt, {
          model: 'm',
          transport,
          ...options,
          provider: { ...turns[step - 1]!.provider, baseUrl: mock.baseUrl, apiKey: 'k' },
          // A connection that the provider has closed meanwhile.
          retry: { initialDelay: 1 },
        }).pipe(restartOnBreak({ initialDelay: 0 })),
    });
    const events: RunEvent[] = [];
    let error: unknown;
    for (const notification of await lastValueFrom(run.pipe(materialize(), toArray()))) {
      if (notification.kind === 'N') events.push(notification.value);
      if (notification.kind === 'E') error = notification.error;
    }
    const requests = mock.requests.map(({ body }) => body.messages);
    return { events, error, faults, requests };
  } finally {
    await mock.close();
  }
}
