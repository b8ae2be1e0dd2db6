import { z } from 'zod';
import {
  builtInProviders,
  fetchTransport,
  type ModelProvider,
  type RunEvent,
  tool,
  type Tool,
  type Transport,
} from '../../src/index.js';
import { nodeTransport } from '../../src/node/index.js';
import { describeCorpus, type Folder, type Recording } from '../support/corpus.js';
import {
  callsOf,
  describeCases,
  idsIn,
  type ToolCase,
  turnsOfCase,
  withOtherIds,
} from './tool-loops-cases.js';
import { done, type Kind, kinds, type MeantCall, type Sent, wireOf, without } from './tool-loops-kinds.js';
import { type Asked, faultsOf, saidIn } from './tool-loops-rules.js';
import { type Outcome, type PlayedRun, type PlayedTurn, playRun } from './tool-loops-run.js';

/** Nothing here depends on how much of it is used. */
jest.setTimeout(20_000);

const transports: readonly (readonly [string, Transport])[] = [
  ['fetch', fetchTransport()],
  ['nodeTransport', nodeTransport()],
];

const echo = (name: string) => (args: unknown) => `${name} ${JSON.stringify(args)}`;
const tools: readonly Tool[] = [
  tool({ name: 'weather', input: z.object({ city: z.string() }), execute: echo('weather') }),
  tool({ name: 'clock', execute: echo('clock') }),
  tool({ name: 'patch', input: 'text', execute: echo('patch') }),
];
const toolsNamed = (names: readonly string[]): readonly Tool[] =>
  [...new Set(names)].map((name) => tool({ name, input: { type: 'object' }, execute: echo(name) }));

const local: ModelProvider = { name: 'local', baseUrl: '' };
const question = { role: 'user', content: 'Rain in Rome?' };

const turnOf = (provider: ModelProvider, sent: readonly Sent[], broken?: readonly Sent[]): PlayedTurn => {
  const wire = [...wireOf(sent), done];
  return {
    provider,
    answers: [
      ...(broken === undefined ? [] : [{ body: [...wireOf(broken), { cut: 'reset' as const }] }]),
      { body: wire },
    ],
    wire: wire.join(''),
  };
};
const answered = (provider: ModelProvider): PlayedTurn =>
  turnOf(provider, [{ delta: { content: 'Dry.' } }, { delta: {}, reason: 'stop' }]);

const idsOf = (turn: number) => (base: string) => `${base}${turn}`;

/** What the model says in the turns of another provider than the first. */
const plain: Kind = {
  says: (id) => [
    { delta: { tool_calls: [{ index: 0, id: id('call_a'), type: 'function', function: plainCall }] } },
    { delta: {}, reason: 'tool_calls' },
  ],
  calls: () => [{ name: 'weather', args: { city: 'Rome' } }],
};
const plainCall = { name: 'weather', arguments: '{"city":"Rome"}' };

/** The two turns of a kind, and the answer. */
function runOf(kind: Kind): PlayedRun {
  const provider: ModelProvider = { ...local, ...kind.provider };
  const then = kind.then ?? provider;
  const second = kind.then === undefined ? kind : plain;
  const without = ({ done: isDone = true }: Kind, turn: PlayedTurn): PlayedTurn => {
    if (isDone) return turn;
    const cut = turn.wire.replace(done, '');
    return { ...turn, wire: cut, answers: [{ body: cut }] };
  };
  return {
    tools,
    repeatsIds: kind.repeatsIds,
    turns: [
      without(kind, turnOf(provider, kind.says(idsOf(1)), kind.broken)),
      without(second, turnOf(then, second.says(idsOf(2)), second.broken)),
      answered(then),
    ],
  };
}

const anyText: unknown = expect.any(String);

/** The message of the assistant and those of the tools, as they stand in the next request. */
function messagesOf(calls: readonly MeantCall[], back: Kind['back']): readonly unknown[] {
  return [
    { role: 'assistant', content: null, ...back, tool_calls: calls.map(writtenCall) },
    ...calls.map(({ id, name, args, failsWith }) => ({
      role: 'tool',
      tool_call_id: id ?? anyText,
      content: failsWith === undefined ? echo(name)(args) : anyText,
    })),
  ];
}

function writtenCall({ id, name, args, extras }: MeantCall): unknown {
  if (name === 'patch') return { id: id ?? anyText, type: 'custom', custom: { name, input: args } };
  const text = typeof args === 'string' ? '{}' : JSON.stringify(args);
  return { ...extras, id: id ?? anyText, type: 'function', function: { name, arguments: text } };
}

const finishedIn = (events: readonly RunEvent[]) =>
  events.flatMap((event) => (event.type === 'tool_finished' ? [event] : []));
const failuresIn = (events: readonly RunEvent[]): readonly unknown[] =>
  finishedIn(events).flatMap(({ error }) =>
    error === undefined ? [] : [(error as { code?: unknown }).code],
  );

function expectAnswered({ events, error, faults }: Outcome, turns: number): void {
  expect(faults).toEqual([]);
  expect(error).toBeUndefined();
  expect(events.at(-1)).toMatchObject({ type: 'run_completed', reason: 'answered', turns });
}

describe.each(transports)('over %s a run of three turns, whose provider sends', (_, transport) => {
  it.each(Object.entries(kinds))('%s, returns what it refuses to miss', async (_, kind) => {
    const outcome = await playRun(runOf(kind), transport);
    expectAnswered(outcome, 3);
    const second = kind.then === undefined ? kind : plain;
    const secondBack =
      kind.then === undefined
        ? kind.back
        : kind.then.sendReasoning === 'reasoning_content' && { reasoning_content: '' };
    const both = [kind.calls(idsOf(1)), second.calls(idsOf(2))];
    expect(outcome.requests.at(-1)).toEqual([
      question,
      ...messagesOf(both[0]!, kind.back),
      ...messagesOf(both[1]!, secondBack || {}),
    ]);
    expect(failuresIn(outcome.events)).toEqual(both.flat().flatMap(({ failsWith }) => failsWith ?? []));
  });

  it.each(Object.entries(without))('%s, ends where the model has answered', async (_, { sent, text }) => {
    const outcome = await playRun({ tools, turns: [turnOf(local, sent)] }, transport);
    expectAnswered(outcome, 1);
    const { items } = outcome.events.at(-1) as { items: readonly unknown[] };
    expect(items).toEqual(
      text === '' ? [] : [{ type: 'message', role: 'assistant', content: [{ type: 'output_text', text }] }],
    );
  });

  it('an answer in JSON, returns what it refuses to miss', async () => {
    const turns = [1, 2].map((turn): PlayedTurn => {
      const tool_calls = [
        { id: `call_${turn}`, type: 'function', function: plainCall, extra_content: { signature: 'c2ln' } },
      ];
      const json = {
        id: 'r',
        model: 'm',
        choices: [
          {
            index: 0,
            message: { role: 'assistant', content: null, tool_calls },
            finish_reason: 'tool_calls',
          },
        ],
      };
      return { provider: local, answers: [{ json }], wire: JSON.stringify(json) };
    });
    const outcome = await playRun({ tools, turns: [...turns, answered(local)] }, transport);
    expectAnswered(outcome, 3);
    expect(finishedIn(outcome.events).map(({ callId }) => callId)).toEqual(['call_1', 'call_2']);
  });
});

describe('what a strict provider refuses is found:', () => {
  const said = { onCalls: [], onMessage: [], reasoning: '' };
  const call = (id: string, args = '{}', more: object = {}) => ({
    ...more,
    id,
    type: 'function',
    function: { name: 'f', arguments: args },
  });
  const calling = (...tool_calls: readonly object[]) => ({ role: 'assistant', content: null, tool_calls });
  const output = (tool_call_id: string, content: unknown = 'done') => ({
    role: 'tool',
    tool_call_id,
    content,
  });
  const asked: Asked = { provider: local, before: [{ by: 'local', said }] };

  it.each<[string, readonly object[], Partial<Asked>]>([
    ['the last message has 1 calls without an output', [calling(call('a'))], {}],
    ['messages[2] follows 1 calls without an output', [calling(call('a')), question], {}],
    [
      'messages[3] answers no call of the message before it',
      [calling(call('a')), output('a'), output('a')],
      {},
    ],
    [
      'messages[2] answers another call than the next',
      [calling(call('a'), call('b')), output('b'), output('a')],
      {},
    ],
    ['messages[2] is an output without content', [calling(call('a')), output('a', null)], {}],
    [
      'messages[1] has an id for the second time',
      [calling(call('a'), call('a')), output('a'), output('a')],
      {},
    ],
    ['messages[1] has a call without an id', [calling(call('')), output('')], {}],
    ['messages[1] has arguments that are no JSON object', [calling(call('a', '{"q')), output('a')], {}],
    ['messages[1] is empty', [{ role: 'assistant', content: '' }, question], {}],
    [
      'messages[1] has an empty list of calls',
      [{ role: 'assistant', content: 'Hm', tool_calls: [] }, question],
      {},
    ],
    ['messages[1] has a null', [{ ...calling(call('a')), refusal: null }, output('a')], {}],
    ['the last message is from the assistant', [{ role: 'assistant', content: 'Hm' }], {}],
    ['0 messages of the assistant after 1 turns', [], {}],
    [
      'messages[1] has no reasoning_content',
      [calling(call('a')), output('a')],
      { provider: builtInProviders.deepseek },
    ],
    [
      'messages[1] has an id of another form',
      [calling(call('a')), output('a')],
      { provider: builtInProviders.mistral },
    ],
    [
      'messages[1] has other signatures on its calls',
      [calling(call('a')), output('a')],
      { before: [{ by: 'local', said: { ...said, onCalls: ['c2ln'] } }] },
    ],
    [
      'messages[1] has other signatures on its calls',
      [calling(call('a', '{}', { signature: 'c2ln' })), output('a')],
      { before: [{ by: 'other', said: { ...said, onCalls: ['c2ln'] } }] },
    ],
    [
      'messages[1] has other signatures beside its text',
      [calling(call('a', '{}', { signature: 'c2ln' })), output('a')],
      { before: [{ by: 'local', said: { ...said, onMessage: ['c2ln'] } }] },
    ],
    [
      'messages[1] has other reasoning',
      [{ ...calling(call('a')), reasoning_content: 'No.' }, output('a')],
      { provider: builtInProviders.deepseek, before: [{ by: 'deepseek', said }] },
    ],
  ])('%s', (fault, messages, given) => {
    expect(faultsOf({ messages: [question, ...messages] }, { ...asked, ...given })).toContainEqual(fault);
  });

  it.each([
    ['tools is empty', []],
    ['tools[0] has a null', [{ type: 'function', function: { name: 'f', strict: null } }]],
  ])('%s', (fault, given) => {
    const messages = [question, calling(call('a')), output('a')];
    expect(faultsOf({ messages, tools: given }, asked)).toEqual([fault]);
  });

  it('and nothing where all is well', () => {
    const messages = [question, calling(call('a'), call('b')), output('a'), output('b')];
    expect(faultsOf({ messages, tools: [{ type: 'function', function: { name: 'f' } }] }, asked)).toEqual([]);
  });

  it('what a stream has said is read without the library', () => {
    const { delta } = kinds['Gemini: a signature of the text too']!.says(idsOf(1))[0] as { delta: object };
    expect(
      saidIn(
        wireOf([{ delta }, { delta: { tool_calls: [{ signature: 'a' }], reasoning_content: 'Hm' } }]).join(
          '',
        ),
      ),
    ).toEqual({
      onCalls: ['a'],
      onMessage: ['dGV4dA=='],
      reasoning: 'Hm',
    });
  });
});

describeCases('a run of three turns over a case that was reported', (cases) => {
  describe.each(transports)('over %s', (_, transport) => {
    it.each(cases.map((one) => [one.id, one] as const))('%s', async (_, one: ToolCase) => {
      const calls = callsOf(one) ?? [{}];
      const names = ['weather', 'clock', ...calls.flatMap(({ name }) => name ?? [])];
      const turns = turnsOfCase(one);
      const outcome = await playRun(
        { tools: toolsNamed(names), options: one.options, turns: [...turns, answered(turns[0]!.provider)] },
        transport,
      );
      expect(failuresIn(outcome.events).filter((code) => code !== 'incomplete_arguments')).toEqual([]);
      expectAnswered(outcome, calls.length === 0 ? 1 : 3);
      const started = outcome.events.flatMap((event) =>
        event.type === 'output_item_done' && event.item.type === 'function_call' ? [event.item] : [],
      );
      for (const [place, { name, arguments: args }] of calls.entries()) {
        if (name !== undefined) expect(started[place]).toMatchObject({ name });
        if (args !== undefined) expect(started[place]).toMatchObject({ arguments: args });
      }
      expect(finishedIn(outcome.events)).toHaveLength(2 * calls.length);
    });
  });
});

describeCorpus('a run of three turns over a recorded answer', (corpus) => {
  const folders: readonly Folder[] = ['recordings', 'handwritten', 'derived'];
  const withCalls = folders.flatMap((folder) =>
    corpus
      .recordings(folder)
      .filter(({ expected }) => expected.tool_calls.length > 0 && expected.errors.length === 0)
      .map((recording) => [`${folder}/${recording.name}`, folder, recording] as const),
  );
  const providerOf = (name: string): ModelProvider => {
    const [vendor = ''] = name.split('-');
    return (
      (builtInProviders as Readonly<Record<string, ModelProvider>>)[vendor] ?? { ...local, name: vendor }
    );
  };

  describe.each(transports)('over %s', (_, transport) => {
    it.each(withCalls)('%s', async (_, folder: Folder, { name, expected }: Recording) => {
      const wire = new TextDecoder().decode(corpus.bytes(folder, name));
      const provider = providerOf(name);
      const turns = [wire, withOtherIds(wire, idsIn(wire))].map((body) => ({
        provider,
        answers: [{ body }],
        wire: body,
      }));
      const names = expected.tool_calls.flatMap(({ name: called }) => called ?? []);
      const outcome = await playRun(
        { tools: toolsNamed(names), turns: [...turns, answered(provider)] },
        transport,
      );
      expectAnswered(outcome, 3);
      expect(finishedIn(outcome.events)).toHaveLength(2 * expected.tool_calls.length);
    });
  });
});
