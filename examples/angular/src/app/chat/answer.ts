import {
  concat,
  concatAll,
  concatMap,
  defaultIfEmpty,
  defer,
  catchError,
  forkJoin,
  from,
  map,
  type Observable,
  of,
  race,
  take,
} from 'rxjs';
import {
  functionCallOutput,
  type FunctionCallOutputItem,
  idleState,
  type InputItem,
  type ResponseEvent,
  toState,
  turnItems,
  type Turn,
  type TurnState,
  type TurnToolCall,
} from 'rxjs-chat-completions';
import type { ChatTool } from './chat-settings';

/** A turn that asked for tools, and what they gave. */
export interface Round {
  readonly turn: Turn;
  readonly outputs: readonly FunctionCallOutputItem[];
}

/** What is answered to one question: the turns that asked for tools, then the one that is going on. */
export interface Answer {
  readonly rounds: readonly Round[];
  readonly state: TurnState;
  /** Tools of the last turn are running. */
  readonly isRunningTools: boolean;
}

export const noAnswer: Answer = { rounds: [], state: idleState, isRunningTools: false };

export const isGoingOn = ({ state: { status }, isRunningTools }: Answer): boolean =>
  isRunningTools ||
  status === 'waiting' ||
  status === 'retrying' ||
  status === 'restarting' ||
  status === 'streaming';

/** A model that keeps on calling is stopped here. */
const mostRounds = 4;

export interface AnswerOptions {
  /** One turn; it ends with a stopped turn when `stop` emits. */
  readonly turn: (input: readonly InputItem[]) => Observable<ResponseEvent>;
  readonly tools: readonly ChatTool[];
  readonly stop: Observable<unknown>;
}

/** Asks, runs the tools that the model calls, and asks again with what they gave. */
export function answerTo(input: readonly InputItem[], options: AnswerOptions): Observable<Answer> {
  const { turn, tools, stop } = options;

  const ask = (rounds: readonly Round[]): Observable<Answer> =>
    defer(() => turn([...input, ...rounds.flatMap(itemsOfRound)])).pipe(
      toState(),
      concatMap((state) => {
        const calls = state.status === 'completed' ? state.turn.toolCalls : [];
        const isRunningTools = calls.length > 0 && rounds.length < mostRounds;
        const answer: Answer = { rounds, state, isRunningTools };
        if (!isRunningTools) return of(answer);
        const outputs = forkJoin(calls.map((call) => outputOf(call, tools)));
        const next: Observable<Answer> = race(
          outputs.pipe(map((given) => ask([...rounds, { turn: state.turn, outputs: given }]))),
          stop.pipe(
            take(1),
            map(() => of<Answer>({ rounds, state: stoppedAt(state.turn), isRunningTools: false })),
          ),
        ).pipe(concatAll());
        return concat(of(answer), next);
      }),
    );

  return ask([]);
}

const stoppedAt = (turn: Turn): TurnState => ({
  status: 'stopped',
  turn,
  error: undefined,
  retry: undefined,
});

/** The model is told of a failure too, and may try again. */
function outputOf(call: TurnToolCall, tools: readonly ChatTool[]): Observable<FunctionCallOutputItem> {
  return defer(() => {
    const tool = tools.find(({ definition }) => definition.name === call.name);
    if (tool === undefined) throw new Error('There is no such tool.');
    return from(tool.run(JSON.parse(call.arguments)));
  }).pipe(
    take(1),
    map((output) => (typeof output === 'string' ? output : JSON.stringify(output))),
    catchError((error: unknown) => of(`Error: ${error instanceof Error ? error.message : 'it failed'}`)),
    defaultIfEmpty(''),
    map((output) => functionCallOutput(call.callId, output)),
  );
}

/** With what the provider wants to see again, such as the signature of each call. */
const itemsOfRound = ({ turn, outputs }: Round): readonly InputItem[] => [...turnItems(turn), ...outputs];

/** What the next question sends of an answer. Calls without an output are left out: providers refuse them. */
export const itemsOfAnswer = ({ rounds, state }: Answer): readonly InputItem[] => [
  ...rounds.flatMap(itemsOfRound),
  ...turnItems({ ...state.turn, toolCalls: [] }),
];
