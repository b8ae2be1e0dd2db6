/**
 * What a run of turns with tools adds to an event and costs for a call, in memory, beside the loop that one would
 * write by hand and the one with RxJS's `expand`. Part of stages.mjs.
 */
import {
  EMPTY,
  expand,
  filter,
  forkJoin,
  from,
  identity,
  lastValueFrom,
  map,
  mergeMap,
  of,
  pipe,
  tap,
  toArray,
} from 'rxjs';

const turns = 20;
const deltas = 2_500;
export const runEvents = turns * deltas;
export const runCalls = 1_000;

const delta = (text) => ({
  type: 'output_item_done',
  item: { type: 'message', role: 'assistant', content: [{ type: 'output_text', text }] },
});
const call = (id) => ({
  type: 'output_item_done',
  item: { type: 'function_call', call_id: id, name: 'echo', arguments: '{"n":1}' },
});
const completed = (finishReason) => ({
  type: 'completed',
  responseId: 'r',
  finishReason,
  usage: null,
  endedBy: 'done',
});

const words = (count) => Array.from({ length: count }, (_, index) => delta(` word${index % 97}`));
const textIn = (events) => events.reduce(addText, '');

/** The text that events hold. */
function addText(text, event) {
  if (event.type !== 'output_item_done' || event.item.type !== 'message') return text;
  return text + event.item.content[0].text;
}

/** Twenty turns of text, each but the last with one call. */
const longTurns = () =>
  Array.from({ length: turns }, (_, index) => {
    const isLast = index === turns - 1;
    return [
      ...words(deltas),
      ...(isLast ? [] : [call(`call_${index}`)]),
      completed(isLast ? 'stop' : 'tool_calls'),
    ];
  });

/** One turn of nothing but calls, and an answer. */
const callingTurns = () => [
  [...Array.from({ length: runCalls }, (_, index) => call(`call_${index}`)), completed('tool_calls')],
  [delta('Done.'), completed('stop')],
];

const echo = ({ n }) => `${n}`;

/** The ways to run them; each gives the text. */
const ways = {
  /** The same events, and nothing else. */
  none: (_library, all) => async () => {
    let text = '';
    for (const turn of all) from(turn).subscribe((event) => (text = addText(text, event)));
    return text;
  },
  'map() and reduceTurn()':
    ({ emptyTurn, reduceTurn }, all) =>
    async () => {
      let text = '';
      for (const turn of all) {
        let folded = emptyTurn;
        from(turn)
          .pipe(
            map(identity),
            tap((event) => (folded = reduceTurn(folded, event))),
          )
          .subscribe((event) => (text = addText(text, event)));
      }
      return text;
    },
  'by hand':
    ({ functionCallOutput, outputItems, userMessage }, all) =>
    async () => {
      let text = '';
      const input = [userMessage('Go.')];
      for (const turn of all) {
        const events = from(turn).pipe(tap((event) => (text = addText(text, event))));
        const items = await lastValueFrom(events.pipe(outputItems(), toArray()));
        const calls = items.filter(({ type }) => type === 'function_call');
        input.push(...items);
        if (calls.length === 0) break;
        const outputs = await Promise.all(
          calls.map(async ({ call_id, arguments: args }) =>
            functionCallOutput(call_id, await echo(JSON.parse(args))),
          ),
        );
        input.push(...outputs);
      }
      return text;
    },
  'expand()':
    ({ functionCallOutput, userMessage }, all) =>
    async () => {
      let text = '';
      let next = 0;
      let items = [];
      const ask = () => {
        const turn = from(all[next++]);
        items = [];
        return turn.pipe(
          tap((event) => (text = addText(text, event))),
          mergeMap((event) => {
            if (event.type === 'output_item_done') items.push(event.item);
            return of(event);
          }),
        );
      };
      const execute = () => {
        const calls = items.filter(({ type }) => type === 'function_call');
        if (calls.length === 0) return EMPTY;
        return forkJoin(
          calls.map(({ call_id, arguments: args }) =>
            of(JSON.parse(args)).pipe(map((given) => functionCallOutput(call_id, echo(given)))),
          ),
        );
      };
      const input = [userMessage('Go.')];
      await lastValueFrom(
        ask().pipe(
          expand((event) => {
            if (event.type !== 'completed') return EMPTY;
            return execute().pipe(
              mergeMap((outputs) => {
                input.push(...outputs);
                return ask();
              }),
            );
          }),
        ),
      );
      return text;
    },
  'runTools()':
    ({ runTools, tool }, all) =>
    async () => {
      let text = '';
      await runOf({ runTools, tool }, all).forEach((event) => (text = addText(text, event)));
      return text;
    },
};

const runOf = ({ runTools, tool }, all) =>
  runTools('Go.', {
    tools: [tool({ name: 'echo', input: { type: 'object' }, execute: echo })],
    turn: (_prompt, step) => from(all[step - 1]),
    maxTurns: turns,
  });

/** The events of a run, which are there already, through an operator. */
const folded = (operatorOf, textOf) => async (library) => {
  const events = [];
  await runOf(library, longTurns()).forEach((event) => events.push(event));
  return () => {
    let last;
    operatorOf(library)(from(events)).subscribe((value) => (last = textOf(last, value)));
    return last;
  };
};

const lastTurn = textIn(words(deltas));
const whole = lastTurn.repeat(turns);

const perEvent = (way) => ({
  prepare: ({ library }) => ways[way](library, longTurns()),
  less: ({ library }) => ways.none(library, longTurns()),
  gives: () => whole,
  count: runEvents,
});

const perCall = (way) => ({
  prepare: ({ library }) => ways[way](library, callingTurns()),
  gives: () => 'Done.',
  count: runCalls,
});

const snapshots = (operatorOf, textOf) => ({
  prepare: ({ library }) => folded(operatorOf, textOf)(library),
  less: ({ library }) => folded(() => identity, addLast)(library),
  gives: () => lastTurn,
  count: runEvents,
});

/** The text of the last turn alone. */
function addLast(text = '', event) {
  return event.type === 'tool_finished' ? '' : addText(text, event);
}

const isOfTurn = ({ type }) => !type.startsWith('tool_') && type !== 'run_completed';

export const runStages = {
  'run: map() and reduceTurn()': perEvent('map() and reduceTurn()'),
  'run: by hand': perEvent('by hand'),
  'run: expand()': perEvent('expand()'),
  'run: runTools()': perEvent('runTools()'),
  'run: accumulate()': snapshots(
    // The turns of the run alone are its own.
    ({ accumulate }) => pipe(filter(isOfTurn), accumulate()),
    (_, { text }) => text,
  ),
  'run: accumulateRun()': snapshots(
    ({ accumulateRun }) => accumulateRun(),
    (_, { steps }) => steps.at(-1)?.turn.text,
  ),
  'calls: by hand': perCall('by hand'),
  'calls: expand()': perCall('expand()'),
  'calls: runTools()': perCall('runTools()'),
};
