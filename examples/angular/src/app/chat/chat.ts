import { computed, inject, Injectable, signal } from '@angular/core';
import { rxResource, toSignal } from '@angular/core/rxjs-interop';
import { animationFrames, map, type Observable, of, race, Subject, switchMap, timer } from 'rxjs';
import {
  accumulate,
  type ChatOptions,
  coalesce,
  fetchTransport,
  idleRunState,
  type InputItem,
  type Prompt,
  type ResponseEvent,
  runItems,
  type RunState,
  runTools,
  stopWhen,
  streamChatCompletions,
  toRunState,
  userMessage,
} from 'rxjs-chat-completions';
import { CHAT_SETTINGS } from './chat-settings';
import { isGoingOn } from './is-going-on';

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
  readonly #asked = new Subject<readonly InputItem[] | undefined>();
  readonly #stopped = new Subject<void>();
  /** The last answer here is what it was when it was asked for: `answer` is what it is. */
  readonly #exchanges = signal<readonly Exchange[]>([]);

  /** The last answer. A new question ends one that is going on. */
  readonly answer = toSignal(
    this.#asked.pipe(switchMap((input) => (input === undefined ? of(idleRunState) : this.#answerTo(input)))),
    { initialValue: idleRunState },
  );

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
    this.#asked.next(undefined);
    this.#exchanges.set([]);
  }

  #ask(exchanges: readonly Exchange[]): void {
    const last = exchanges.at(-1);
    if (last === undefined) return;
    this.#exchanges.set(exchanges);
    this.#asked.next([
      ...exchanges
        .slice(0, -1)
        .flatMap(({ question, answer }) => [userMessage(question), ...runItems(answer.run)]),
      userMessage(last.question),
    ]);
  }

  #answerTo(input: readonly InputItem[]): Observable<RunState> {
    const { instructions, tools = [] } = this.#settings;
    return runTools(
      { instructions, input },
      { turn: (prompt) => this.#turn(prompt), tools, maxTurns: 5 },
    ).pipe(stopWhen(this.#stopped), coalesce(frame), toRunState());
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
