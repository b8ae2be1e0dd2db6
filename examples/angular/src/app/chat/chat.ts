import { computed, inject, Injectable, signal } from '@angular/core';
import { rxResource, toSignal } from '@angular/core/rxjs-interop';
import { animationFrames, defer, map, type Observable, of, race, Subject, switchAll, tap, timer } from 'rxjs';
import {
  accumulate,
  type ChatOptions,
  coalesce,
  emptyRun,
  fetchTransport,
  idleRunState,
  type InputItem,
  type Prompt,
  reduceRun,
  type ResponseEvent,
  type Run,
  runItems,
  type RunState,
  runTools,
  stopWhen,
  streamChatCompletions,
  toRunState,
  userMessage,
} from 'rxjs-chat-completions';
import { CHAT_SETTINGS, type ChatSettings } from './chat-settings';
import { isGoingOn } from './is-going-on';
import { keepChat, keptChat } from './kept-chat';

/** A question and what was answered. */
export interface Exchange {
  readonly id: number;
  readonly question: string;
  readonly answer: RunState;
}

/** A frame; or a quarter of a second in a hidden tab, which has no frames. */
const frame = () => race(animationFrames(), timer(250));

/** The conversation, and the one answer that may be going on. */
@Injectable()
export class Chat {
  readonly #settings = inject(CHAT_SETTINGS);
  readonly #answers = new Subject<Observable<RunState>>();
  readonly #stopped = new Subject<void>();
  /** The last answer here is what it was when it was asked for: `answer` is what it is. */
  readonly #exchanges = signal<readonly Exchange[]>([]);

  /** The last answer. A new question ends one that is going on. */
  readonly answer = toSignal(this.#answers.pipe(switchAll()), { initialValue: idleRunState });

  readonly isAnswering = computed(() => isGoingOn(this.answer()));

  /** Only the last of them changes while an answer comes. */
  readonly exchanges = computed<readonly Exchange[]>(() => {
    const exchanges = this.#exchanges();
    const last = exchanges.at(-1);
    return last === undefined ? [] : [...exchanges.slice(0, -1), { ...last, answer: this.answer() }];
  });

  /** What to name the conversation after, once its first answer is there. */
  readonly #firstQuestion = computed(() => {
    const [first, second] = this.#exchanges();
    return this.answer().status === 'completed' || second !== undefined ? first?.question : undefined;
  });

  /**
   * A turn as a resource: its name streams in. Its status is `resolved` from the first delta on, so the
   * status does not tell when a turn is over.
   */
  readonly #name = rxResource({
    params: () => this.#firstQuestion(),
    stream: ({ params: question }) =>
      this.#turn({
        instructions: 'Name this conversation in at most five words. Give the name alone.',
        input: [userMessage(question)],
      }).pipe(
        coalesce(frame),
        accumulate(),
        map(({ text }) => text.trim()),
      ),
  });

  readonly title = computed(() => {
    const name = this.#name.hasValue() ? this.#name.value() : '';
    return name === '' ? (this.#exchanges()[0]?.question ?? '') : name;
  });

  constructor() {
    this.#goOn();
  }

  ask(question: string): void {
    const exchanges = this.exchanges();
    const id = (exchanges.at(-1)?.id ?? 0) + 1;
    this.#ask([...exchanges, { id, question, answer: idleRunState }]);
  }

  /** Asks the last question again; what was answered is dropped. */
  askAgain(): void {
    this.#ask(this.exchanges());
  }

  /** Ends the answer with what there is of it. */
  stop(): void {
    this.#stopped.next();
  }

  clear(): void {
    this.#answers.next(of(idleRunState));
    this.#exchanges.set([]);
    this.#keep();
  }

  #ask(exchanges: readonly Exchange[]): void {
    if (exchanges.length === 0) return;
    this.#exchanges.set(exchanges);
    this.#answers.next(this.#answerTo(inputOf(exchanges)));
  }

  #answerTo(input: readonly InputItem[]): Observable<RunState> {
    const { instructions, tools = [], sharedTurns } = this.#settings;
    if (sharedTurns !== undefined) return this.#sharedAnswerTo(input, sharedTurns);
    return runTools(
      { instructions, input },
      { turn: (prompt) => this.#turn(prompt), tools, maxTurns: 5 },
    ).pipe(stopWhen(this.#stopped), coalesce(frame), toRunState());
  }

  /**
   * An answer that a reload does not end: before each turn, its id is kept with what there is of the run.
   *
   * @param before - the run up to the turn that was going on, and that turn's id
   */
  #sharedAnswerTo(
    input: readonly InputItem[],
    sharedTurns: NonNullable<ChatSettings['sharedTurns']>,
    before?: { readonly run: Run; readonly turnId: string },
  ): Observable<RunState> {
    const { instructions, tools = [] } = this.#settings;
    const resume = before?.run ?? emptyRun;
    return defer(() => {
      let run = resume;
      let going = before?.turnId;
      const turn = (prompt: Prompt) => {
        const id = going ?? crypto.randomUUID();
        going = undefined;
        this.#keep(run, id);
        return sharedTurns(id, prompt);
      };
      return runTools({ instructions, input }, { turn, tools, maxTurns: 5, resume }).pipe(
        tap((event) => (run = reduceRun(run, event))),
        stopWhen(this.#stopped),
        coalesce(frame),
        toRunState(),
        map((state) => ({ ...state, run: { ...state.run, steps: [...resume.steps, ...state.run.steps] } })),
        tap((state) => {
          // What has failed may go on after a reload.
          if (!isGoingOn(state) && state.status !== 'error') this.#keep(state.run);
        }),
      );
    });
  }

  /** Keeps the conversation for a reload, where the backend can go on with a turn. */
  #keep(run?: Run, turnId?: string): void {
    if (this.#settings.sharedTurns === undefined) return;
    const exchanges = this.#exchanges();
    const kept = exchanges.map(({ id, question, answer }, index) => ({
      id,
      question,
      run: index === exchanges.length - 1 && run !== undefined ? run : answer.run,
    }));
    keepChat({ exchanges: kept, ...(turnId !== undefined && { turnId }) });
  }

  /** Goes on where a reload has cut the page off. */
  #goOn(): void {
    const { sharedTurns } = this.#settings;
    const kept = sharedTurns === undefined ? undefined : keptChat();
    const last = kept?.exchanges.at(-1);
    if (sharedTurns === undefined || kept === undefined || last === undefined) return;
    const exchanges = kept.exchanges.map(({ id, question, run }) => ({ id, question, answer: stateOf(run) }));
    const { turnId } = kept;
    this.#exchanges.set(exchanges);
    this.#answers.next(
      turnId === undefined
        ? of(stateOf(last.run))
        : this.#sharedAnswerTo(inputOf(exchanges), sharedTurns, { run: last.run, turnId }),
    );
  }

  #turn(prompt: Prompt): Observable<ResponseEvent> {
    const { baseUrl, model, transport = fetchTransport(), turns } = this.#settings;
    if (turns !== undefined) return turns(prompt);
    const options: ChatOptions = {
      model,
      provider: { name: 'backend', baseUrl },
      transport,
      includeRetries: true,
      includeUsage: true,
    };
    return streamChatCompletions(prompt, options);
  }
}

/** What is asked: the conversation up to the last question. */
const inputOf = (exchanges: readonly Exchange[]): readonly InputItem[] =>
  exchanges.flatMap(({ question, answer }, index) => [
    userMessage(question),
    ...(index === exchanges.length - 1 ? [] : runItems(answer.run)),
  ]);

/** A run that is over. */
const stateOf = (run: Run): RunState => ({
  status: run.status === 'pending' || run.status === 'completed' ? run.status : 'stopped',
  run,
  error: undefined,
  retry: undefined,
});
