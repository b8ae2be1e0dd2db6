import type { LLMock } from '@copilotkit/aimock';
import OpenAI from 'openai';
import {
  asapScheduler,
  concatMap,
  finalize,
  lastValueFrom,
  observeOn,
  of,
  Subject,
  take,
  toArray,
} from 'rxjs';
import { z } from 'zod';
import { type RunEvent, runTools, streamChatCompletions, tool } from '../../src/index.js';
import { type MockAnswer, type MockPiece, startMockProvider } from '../../src/mock-provider/index.js';
import { key, receivedBodies, startAimock } from './start-aimock.js';

const question = 'Plan the warmer journey: Lima or Oslo?';
const instructions = 'You plan trips.';

interface Call {
  readonly id: string;
  readonly name: string;
  readonly arguments: Readonly<Record<string, string>>;
  readonly output: string;
}

/** What the model asks for, and what it is told. */
const rounds: readonly (readonly [Call, Call])[] = [
  [
    { id: 'call_lima', name: 'weather', arguments: { city: 'Lima' }, output: '{"celsius":19}' },
    { id: 'call_oslo', name: 'weather', arguments: { city: 'Oslo' }, output: '{"celsius":-4}' },
  ],
  [
    { id: 'call_flight', name: 'find', arguments: { what: 'flight', city: 'Lima' }, output: '["flight-1"]' },
    { id: 'call_hotel', name: 'find', arguments: { what: 'hotel', city: 'Lima' }, output: '["hotel-1"]' },
  ],
  [
    { id: 'call_book_flight', name: 'book', arguments: { offer: 'flight-1' }, output: 'booked flight-1' },
    { id: 'call_book_hotel', name: 'book', arguments: { offer: 'hotel-1' }, output: 'booked hotel-1' },
  ],
];
const before = ['I compare both.', null, null];
const end = 'Lima is booked.';

const schemas = {
  weather: z.object({ city: z.string() }),
  find: z.object({ what: z.enum(['flight', 'hotel']), city: z.string() }),
  book: z.object({ offer: z.string() }),
};
const descriptions = { weather: 'The temperature of a city', find: 'Finds offers', book: 'Books an offer' };
const names = ['weather', 'find', 'book'] as const;

/** Neither client sends `$schema`: this library leaves it out, and the other sends what it is given. */
function parametersOf(name: (typeof names)[number]): Record<string, unknown> {
  const { $schema: _mark, ...parameters } = z.toJSONSchema(schemas[name], { target: 'draft-7', io: 'input' });
  return parameters;
}

const execute = {
  weather: ({ city }: z.infer<typeof schemas.weather>) => ({ celsius: city === 'Lima' ? 19 : -4 }),
  find: ({ what }: z.infer<typeof schemas.find>) => [`${what}-1`],
  book: ({ offer }: z.infer<typeof schemas.book>) => `booked ${offer}`,
};

/** The second call of each round is done first. */
const isSecond = (args: object): boolean => /Oslo|hotel/.test(JSON.stringify(args));
const secondIsDone = new Subject<void>();

const tools = names.map((name) =>
  tool({
    name,
    description: descriptions[name],
    input: schemas[name],
    execute: (args) => {
      const output = of(execute[name](args as never));
      return isSecond(args)
        ? output.pipe(finalize(() => secondIsDone.next()))
        : secondIsDone.pipe(
            take(1),
            observeOn(asapScheduler),
            concatMap(() => output),
          );
    },
  }),
);

const runOf = (baseUrl: string): Promise<readonly RunEvent[]> =>
  lastValueFrom(
    runTools(
      { instructions, input: [{ role: 'user', content: question }] },
      {
        tools,
        turn: (prompt) =>
          streamChatCompletions(prompt, {
            model: 'gpt-4o',
            provider: { name: 'peer', baseUrl, apiKey: key },
          }),
      },
    ).pipe(toArray()),
  );

/** The messages of each request: those of the one before, and what its round has added. */
const requests = rounds.reduce<readonly (readonly unknown[])[]>(
  (all, round, place) => [
    ...all,
    [
      ...all.at(-1)!,
      {
        role: 'assistant',
        content: before[place],
        tool_calls: round.map(({ id, name, arguments: args }) => ({
          id,
          type: 'function',
          function: { name, arguments: JSON.stringify(args) },
        })),
      },
      ...round.map(({ id, output }) => ({ role: 'tool', tool_call_id: id, content: output })),
    ],
  ],
  [
    [
      { role: 'system', content: instructions },
      { role: 'user', content: question },
    ],
  ],
);

function expectWhole(events: readonly RunEvent[]): void {
  const finished = events.flatMap((event) => (event.type === 'tool_finished' ? [event] : []));
  // The second of each round is done first.
  expect(finished.map(({ callId, output, error }) => [callId, output, error])).toEqual(
    rounds.flatMap(([a, b]) => [
      [b.id, b.output, undefined],
      [a.id, a.output, undefined],
    ]),
  );
  expect(events.at(-1)).toMatchObject({ type: 'run_completed', reason: 'answered', turns: 4 });
}

describe('three rounds of two parallel tools', () => {
  describe('with aimock, which goes on only with the output of the second', () => {
    let server: LLMock;

    beforeAll(async () => {
      server = await startAimock();
    });
    afterAll(() => server.stop());

    it('reach the answer, and each request has what went before', async () => {
      expectWhole(await runOf(`${server.url}/v1`));
      expect(receivedBodies(server).map(({ messages }) => messages)).toEqual(requests);
    });
  });

  describe('with the mock provider', () => {
    const answers: readonly MockAnswer[] = [
      ...rounds.map((round, place) => ({
        content: [
          ...(before[place] == null ? [] : [before[place]]),
          ...round.map(({ id, name, arguments: args }): MockPiece => ({
            toolCall: { id, name, arguments: args },
          })),
        ],
      })),
      { content: end },
    ];

    /** The bodies that a client sends until it has the answer. */
    async function bodiesOf(client: (baseUrl: string) => Promise<unknown>) {
      const mock = await startMockProvider({ pace: 0, answers });
      try {
        await client(mock.baseUrl);
        return mock.requests.map(({ body }) => body);
      } finally {
        await mock.close();
      }
    }

    async function openAiRun(baseURL: string): Promise<void> {
      const client = new OpenAI({ apiKey: key, baseURL, maxRetries: 0 });
      const runner = client.chat.completions.runTools({
        model: 'gpt-4o',
        stream: true,
        messages: [
          { role: 'system', content: instructions },
          { role: 'user', content: question },
        ],
        tools: names.map((name) => ({
          type: 'function' as const,
          function: {
            name,
            description: descriptions[name],
            parameters: parametersOf(name),
            parse: (text: string) => schemas[name].parse(JSON.parse(text)),
            function: (args: Record<string, string>) => execute[name](args as never),
          },
        })),
      });
      expect(await runner.finalContent()).toBe(end);
    }

    it("send what the tool runner of OpenAI's own package sends, message by message", async () => {
      const own = await bodiesOf(async (baseUrl) => expectWhole(await runOf(baseUrl)));
      const theirs = await bodiesOf(openAiRun);
      expect(own.map(({ messages }) => messages)).toEqual(requests);
      // It writes the default out.
      expect(theirs).toEqual(own.map((body) => ({ ...body, tool_choice: 'auto' })));
    });
  });
});
