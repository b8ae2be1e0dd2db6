import { defer, from, NEVER, Observable, Subject } from 'rxjs';
import {
  accumulate,
  aggregate,
  coalesce,
  fromServerSentEvents,
  IncompleteStreamError,
  outputItems,
  requireFinish,
  type ResponseEvent,
  stopWhen,
  streamChatCompletions,
  toServerSentEvents,
  toState,
  turnItems,
} from '../../src/index.js';
import {
  deltaChunk,
  doneChunk,
  finishChunk,
  scriptedTransport,
  toolCallChunks,
} from '../../src/testing/index.js';
import { record } from '../conformance/record-events.js';
import { provider } from '../support/events.js';

const cutOff = [
  ...toolCallChunks({ callId: 'whole', name: 'list', arguments: '{"path":"/data"}' }),
  deltaChunk({
    tool_calls: [
      { index: 1, id: 'cut', type: 'function', function: { name: 'sh', arguments: '{"command":"rm -rf /' } },
    ],
  }),
];
const custom = [
  deltaChunk({ tool_calls: [{ index: 2, id: 'text', custom: { name: 'run', input: 'rm -rf /' } }] }),
];

const turnOver = (body: readonly string[]) =>
  streamChatCompletions('Hi', { model: 'm', provider, transport: scriptedTransport({ body: from(body) }) });

const idsOf = (events: readonly ResponseEvent[]) =>
  events.flatMap((event) =>
    event.type === 'output_item_done' && 'call_id' in event.item ? [event.item.call_id] : [],
  );

describe('A call that was cut', () => {
  describe.each<[string, readonly string[], number, object]>([
    ['in order', cutOff, 1, { endedBy: 'eof', finishReason: null }],
    ['in order, in a custom tool’s input', [...cutOff, ...custom], 2, { endedBy: 'eof', finishReason: null }],
    [
      'by its length',
      [...cutOff, ...custom, finishChunk('length'), doneChunk()],
      2,
      { finishReason: 'length' },
    ],
  ])('%s', (_, body, incompleteCalls, end) => {
    const turn = defer(() => turnOver(body));

    it('is no item, whatever the turn is made into', () => {
      const { events } = record(turn);
      expect(idsOf(events)).toEqual(['whole']);
      expect(events.at(-1)).toMatchObject({ ...end, incompleteCalls });
      expect(idsOf(record(turn.pipe(aggregate())).events)).toEqual(['whole']);
      expect(record(turn.pipe(aggregate())).events.at(-1)).toEqual(events.at(-1));
      expect(record(turn.pipe(outputItems())).events).toMatchObject([{ call_id: 'whole' }]);
      expect(idsOf(record(turn.pipe(coalesce(() => NEVER))).events)).toEqual(['whole']);
    });

    it('stays in the snapshot, open', () => {
      const [snapshot] = record(turn.pipe(accumulate())).events.slice(-1);
      const open = snapshot?.toolCalls.filter(({ item }) => item === undefined) ?? [];
      expect(open).toHaveLength(incompleteCalls);
      expect(open[0]).toEqual({
        callId: 'cut',
        name: 'sh',
        arguments: '{"command":"rm -rf /',
        item: undefined,
      });
      expect(turnItems(snapshot!)).toMatchObject([{ call_id: 'whole' }]);
      expect(record(turn.pipe(toState())).events.at(-1)).toMatchObject({
        status: 'completed',
        turn: snapshot,
      });
    });

    it('is the same once it went through server-sent events', () => {
      const { events } = record(turn);
      expect(record(turn.pipe(toServerSentEvents(), fromServerSentEvents())).events).toEqual(events);
    });
  });

  it('is not delivered before requireFinish() errors, and neither is one that is whole', () => {
    const { events, error } = record(turnOver(cutOff).pipe(requireFinish()));
    expect(error).toBeInstanceOf(IncompleteStreamError);
    expect(idsOf(events)).toEqual([]);
    expect((error as IncompleteStreamError).turn.toolCalls.map(({ item }) => item?.call_id)).toEqual([
      'whole',
      undefined,
    ]);
  });

  it('by stopWhen() is none of the items of the stopped turn', () => {
    const stop = new Subject<void>();
    const body = new Observable<string>((subscriber) => {
      for (const chunk of cutOff) subscriber.next(chunk);
      stop.next();
    });
    const transport = scriptedTransport({ body }, { body });
    const turn = streamChatCompletions('Hi', { model: 'm', provider, transport }).pipe(stopWhen(stop));
    const { events } = record(turn.pipe(aggregate()));
    expect(events).toMatchObject([{ type: 'completed', stopped: true }]);
    const [snapshot] = record(turn.pipe(accumulate())).events.slice(-1);
    expect(snapshot?.toolCalls.map(({ callId, item }) => [callId, item])).toEqual([
      ['whole', undefined],
      ['cut', undefined],
    ]);
  });

  it('by a break is none of the items, and neither is a whole one', () => {
    const body = new Observable<string>((subscriber) => {
      for (const chunk of cutOff) subscriber.next(chunk);
      subscriber.error(new Error('reset'));
    });
    const { events, error } = record(
      streamChatCompletions('Hi', { model: 'm', provider, transport: scriptedTransport({ body }) }),
    );
    expect(error).toBeInstanceOf(Error);
    expect(idsOf(events)).toEqual([]);
  });
});
