import {
  assertInInjectionContext,
  computed,
  DestroyRef,
  inject,
  PLATFORM_ID,
  signal,
  untracked,
} from '@angular/core';
import { toSignal } from '@angular/core/rxjs-interop';
import {
  defer,
  EMPTY,
  filter,
  from,
  map,
  type Observable,
  type ObservableInput,
  Subject,
  switchMap,
  take,
} from 'rxjs';
import { randomId } from '../flow/random-id.js';
import { coalesce } from '../operators/coalesce.js';
import { stopWhen } from '../operators/stop-when.js';
import { itemOf } from '../prompt/messages.js';
import { type InputItem, type Prompt, userMessage } from '../prompt/prompt.js';
import type { ApprovalDecision } from '../run/call-options.js';
import { endRun, emptyRun, type Run, type RunStep } from '../run/run.js';
import { runItems } from '../run/run-items.js';
import { runTools } from '../run/run-tools.js';
import { idleRunState, type RunState, toRunState } from '../run/to-run-state.js';
import type { ContentPart, ResponseItem } from '../turn/events.js';
import type { RunEvent } from '../turn/run-events.js';
import { emptyTurn } from '../turn/turn.js';
import type { AnswerContext, Chat, ChatAnswer, ChatConfig, ChatMessage, ChatQuestion } from './chat.js';
import { frame } from './frame.js';
import { runnerOutsideAngular } from './runner-outside-angular.js';
import { CHAT_CONFIG } from './provide-chat.js';

/**
 * A conversation for a component: signals with its messages and state, and methods for what a user can do.
 *
 * Each answer is a run: the model's tool calls are executed, and without tools an answer is one turn. The signals change
 * once per frame. A new question stops the previous answer. When the component (or any other injection context) is
 * destroyed, its request is aborted. During server-side rendering the methods do nothing.
 *
 * Options given here override those of `provideChat()`, one by one.
 *
 * @example
 * ```ts
 * @Component({
 *   selector: 'app-chat',
 *   template: `
 *     @for (message of chat.messages(); track message.id) {
 *       <p [class]="message.role">{{ message.text }}</p>
 *     }
 *     <input #question (keydown.enter)="chat.send(question.value); question.value = ''" />
 *   `,
 * })
 * export class ChatComponent {
 *   readonly chat = injectChat({ turn: (prompt) => streamChatCompletions(prompt, options) });
 * }
 * ```
 *
 * @throws TypeError unless exactly one of `turn` and `run` is given, here or in `provideChat()`, and for invalid
 * `messages`
 */
export function injectChat(config: ChatConfig = {}): Chat {
  assertInInjectionContext(injectChat);
  const settings = merged(inject(CHAT_CONFIG, { optional: true }) ?? {}, config);
  const outside = runnerOutsideAngular();
  let isActive = inject(PLATFORM_ID) !== 'server';
  inject(DestroyRef).onDestroy(() => (isActive = false));

  /** The last answer in here is as it was when requested; `answer` has its current state. */
  const conversation = signal<readonly ChatMessage[]>(restored(settings));
  const answers = new Subject<Answering | undefined>();
  const stopped = new Subject<void>();
  const decisions = new Subject<{ readonly callId: string; readonly decision: ApprovalDecision }>();
  const run = runOf(settings, (call) =>
    decisions.pipe(
      filter(({ callId }) => callId === call.call_id),
      map(({ decision }) => decision),
      take(1),
    ),
  );

  const answer = toSignal(
    answers.pipe(switchMap((asked) => (asked === undefined ? EMPTY : statesOf(asked)))),
  );
  const messages = computed(() => {
    const list = conversation();
    const last = answer();
    return last !== undefined && last.id === list.at(-1)?.id ? [...list.slice(0, -1), last] : list;
  });
  const state = computed(() => stateOf(messages().at(-1)));
  const chat: Chat = {
    messages,
    state,
    isAnswering: computed(() => isGoingOn(state())),
    error: computed(() => state().error),

    send(question) {
      const asked = questionOf(randomId(), question);
      if (!isActive || isBlank(asked)) return;
      tell(stopped, undefined);
      ask([...untracked(messages), asked]);
    },
    stop() {
      tell(stopped, undefined);
    },
    regenerate(id) {
      const list = untracked(messages);
      const place = id === undefined ? list.length - 1 : placeOf(list, id);
      const asked = list
        .slice(0, place + 1)
        .map(({ role }) => role)
        .lastIndexOf('user');
      if (isActive && asked !== -1) ask(list.slice(0, asked + 1));
    },
    edit(id, question) {
      const list = untracked(messages);
      const place = placeOf(list, id);
      if (list[place]?.role !== 'user') throw new RangeError('The message with this id is not a question.');
      const asked = questionOf(id, question);
      if (isActive && !isBlank(asked)) ask([...list.slice(0, place), asked]);
    },
    approve(callId) {
      tell(decisions, { callId, decision: { approved: true } });
    },
    reject(callId, reason) {
      tell(decisions, { callId, decision: { approved: false, reason } });
    },
    clear() {
      if (!isActive) return;
      tell(answers, undefined);
      conversation.set([]);
    },
  };
  resume();
  return chat;

  /** Effects must not depend on signals that turns and tools read, and async work must not trigger change detection. */
  function tell<T>(subject: Subject<T>, value: T): void {
    untracked(() => outside(() => subject.next(value)));
  }

  function ask(asked: readonly ChatMessage[]): void {
    begin({ id: randomId(), conversation: asked, resume: undefined });
  }

  /** Resumes an answer that a reload has cut off. */
  function resume(): void {
    const list = untracked(messages);
    const last = list.at(-1);
    if (!isActive || last?.role !== 'assistant' || !isGoingOn(last.state)) return;
    begin({ id: last.id, conversation: list.slice(0, -1), resume: beforeCut(last.state.run) });
  }

  function begin(asked: Answering): void {
    const { id, resume: run = emptyRun } = asked;
    // Unsubscribe from the previous answer first, so that it cannot add to this list.
    tell(answers, undefined);
    conversation.set([
      ...asked.conversation,
      answerOf(id, { status: 'waiting', run, error: undefined, retry: undefined }),
    ]);
    tell(answers, asked);
  }

  function statesOf({ id, conversation: before, resume }: Answering): Observable<ChatAnswer> {
    return defer(() => {
      const prompt: Prompt = { instructions: settings.instructions, input: before.flatMap(itemsOf) };
      return from(run(prompt, { id, resume }));
    }).pipe(
      stopWhen(stopped),
      coalesce(settings.coalesce ?? frame),
      toRunState({ resume }),
      map((state) => answerOf(id, state)),
    );
  }
}

/** A requested answer. */
interface Answering {
  readonly id: string;
  /** The messages before it. */
  readonly conversation: readonly ChatMessage[];
  readonly resume: Run | undefined;
}

type Runs = (prompt: Prompt, answer: AnswerContext) => ObservableInput<RunEvent>;

/** `turn` and `run` are alternatives: one that is given here replaces either. */
function merged(provided: ChatConfig, config: ChatConfig): ChatConfig {
  const hasOwn = config.turn !== undefined || config.run !== undefined;
  const settings: ChatConfig = {
    ...provided,
    ...(hasOwn && { turn: undefined, run: undefined }),
    ...config,
  };
  const { turn, run } = settings;
  if ((turn === undefined) === (run === undefined))
    throw new TypeError('injectChat() needs either turn or run, of its own or from provideChat().');
  if (typeof (turn ?? run) !== 'function')
    throw new TypeError(`options.${turn === undefined ? 'run' : 'turn'} must be a function.`);
  return settings;
}

function runOf(settings: ChatConfig, approve: NonNullable<ChatConfig['approve']>): Runs {
  const { turn, run, tools = [] } = settings;
  if (turn === undefined) return run as Runs;
  return (prompt, answer) =>
    runTools(prompt, {
      approve,
      ...settings,
      tools,
      resume: answer.resume,
      turn: (asked, step) => turn(asked, step, answer),
    });
}

/** The initial conversation. An unfinished answer counts as stopped, unless it is resumed. */
function restored({ messages = [], resume = false }: ChatConfig): readonly ChatMessage[] {
  return messages.map((message, place) => {
    if (!isMessage(message)) throw new TypeError(`options.messages[${place}] is not a message of a chat.`);
    if (message.role === 'user') return message;
    const { run, status, error } = message.state;
    const isOver = !isGoingOn(message.state) || !resume || place < messages.length - 1;
    // An error is lost in JSON.
    if (status === 'error' && error instanceof Error) return message;
    return isOver ? answerOf(message.id, settled(run)) : message;
  });
}

function isMessage(value: ChatMessage): boolean {
  if (typeof value !== 'object' || value === null || typeof value.id !== 'string') return false;
  if (value.role === 'user') return Array.isArray(value.input);
  const steps: unknown = value.role === 'assistant' ? value.state?.run?.steps : undefined;
  return Array.isArray(steps) && (steps as readonly (RunStep | null)[]).every(hasText);
}

const hasText = (step: RunStep | null): boolean => typeof step?.turn?.text === 'string';

/** A run that is not continued. */
function settled(run: Run): RunState {
  const ended = run.reason === undefined ? endRun(run) : run;
  const { status } = ended;
  const isWhole = status === 'completed' || status === 'pending';
  return { status: isWhole ? status : 'stopped', run: ended, error: undefined, retry: undefined };
}

/** Without the output of a cut turn: following it from its start is not a restart. */
function beforeCut(run: Run): Run {
  const last = run.steps.at(-1);
  if (last === undefined || last.tools.length > 0 || last.turn.status === 'completed') return run;
  return { ...run, status: 'waiting', steps: [...run.steps.slice(0, -1), { ...last, turn: emptyTurn }] };
}

const isGoingOn = ({ status, run }: RunState): boolean => status !== 'idle' && run.reason === undefined;

const stateOf = (message: ChatMessage | undefined): RunState =>
  message?.role === 'assistant' ? message.state : idleRunState;

const answerOf = (id: string, state: RunState): ChatAnswer => ({
  id,
  role: 'assistant',
  text: state.run.steps.flatMap(({ turn }) => (turn.text === '' ? [] : turn.text)).join('\n\n'),
  state,
});

function questionOf(id: string, question: string | InputItem | readonly InputItem[]): ChatQuestion {
  const items =
    typeof question === 'string' ? [userMessage(question)] : ([question].flat() as readonly InputItem[]);
  const input = items.map(itemOf);
  const text = input
    .flatMap((item) => partsOf(item).flatMap((part) => ('text' in part ? part.text : [])))
    .join('\n\n');
  return { id, role: 'user', text, input };
}

const partsOf = (item: ResponseItem): readonly ContentPart[] => (item.type === 'message' ? item.content : []);

const isBlank = ({ input, text }: ChatQuestion): boolean =>
  text.trim() === '' &&
  input.every((item) => item.type === 'message' && partsOf(item).every((part) => 'text' in part));

function placeOf(messages: readonly ChatMessage[], id: string): number {
  const place = messages.findIndex((message) => message.id === id);
  if (place === -1) throw new RangeError('No message has this id.');
  return place;
}

const itemsOf = (message: ChatMessage): readonly InputItem[] =>
  message.role === 'user' ? message.input : runItems(message.state.run);
