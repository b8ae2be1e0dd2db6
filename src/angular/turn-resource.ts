import {
  assertInInjectionContext,
  computed,
  inject,
  PLATFORM_ID,
  type Resource,
  type Signal,
  signal,
  untracked,
} from '@angular/core';
import { toObservable, toSignal } from '@angular/core/rxjs-interop';
import { defer, EMPTY, from, map, type Observable, type ObservableInput, of, Subject, switchMap } from 'rxjs';
import { coalesce } from '../operators/coalesce.js';
import { stopWhen } from '../operators/stop-when.js';
import { idleState, toState, type TurnState } from '../operators/to-state.js';
import type { ResponseEvent } from '../turn/events.js';
import { emptyTurn, type Turn } from '../turn/turn.js';
import { frame } from './frame.js';
import { outsideAngular } from './outside-angular.js';

export interface TurnResourceOptions<Params> {
  /** What the turn depends on: a new value requests a new turn, and `undefined` requests none. */
  readonly params: () => Params | undefined;
  /** The turn, as in `rxResource`. */
  readonly stream: (context: { readonly params: Params }) => ObservableInput<ResponseEvent>;
  /** As in {@link ChatConfig}: how long events are collected before the signals change. */
  readonly coalesce?: number | (() => ObservableInput<unknown>) | undefined;
}

/** Angular's `ResourceSnapshot`, also with Angular 20, which has none. */
export type TurnSnapshot<T> =
  | { readonly status: 'idle' | 'loading' | 'reloading' | 'resolved'; readonly value: T }
  | { readonly status: 'error'; readonly error: Error };

/** A turn as a resource, with what Angular's `Resource` lacks: the partial turn, retries, and `stop()`. */
export interface TurnResource extends Resource<Turn | undefined> {
  /** For `resourceFromSnapshots()` and similar compositions. */
  readonly snapshot: Signal<TurnSnapshot<Turn | undefined>>;
  /** What has arrived of the turn. Unlike `value()`, it never throws: a partial answer survives an error. */
  readonly turn: Signal<Turn>;
  /** The state of the turn, including retries and restarts. */
  readonly state: Signal<TurnState>;
  /** Aborts the request and keeps what arrived: the status becomes `'resolved'`. */
  stop(): void;
  /** Requests the turn again. Returns `false` if there are no params. */
  reload(): boolean;
}

/**
 * A turn as a resource, like `rxResource`, except that it is loading until the turn ends: `isLoading()` is `true` while
 * the answer streams in, and `status()` is `'resolved'` once it is complete or stopped.
 *
 * `value()` is the turn so far, `undefined` before its first event. After an error it throws, as with every resource;
 * `turn()` keeps the partial answer. The signals change once per frame. Server-side rendering starts nothing.
 *
 * @example
 * ```ts
 * readonly topic = input<string>();
 * readonly poem = turnResource({
 *   params: () => this.topic(),
 *   stream: ({ params: topic }) => streamChatCompletions(`A poem about ${topic}`, options),
 * });
 * // {{ poem.turn().text }} @if (poem.isLoading()) { … } @else if (poem.error()) { … }
 * ```
 */
export function turnResource<Params>(options: TurnResourceOptions<Params>): TurnResource {
  assertInInjectionContext(turnResource);
  const isServer = inject(PLATFORM_ID) === 'server';
  const outside = outsideAngular<Loading<Params>>();
  const stopped = new Subject<void>();
  /** The request at the time of the last stop: its turn may not have begun. */
  let left: Request<Params> | undefined;
  const reloads = signal(0);

  const request = computed(
    (): Request<Params> => {
      const reload = reloads();
      try {
        return { params: options.params(), reload };
      } catch (failure) {
        return { params: undefined, reload, failure };
      }
    },
    { equal: isSameRequest },
  );
  const loaded = toSignal(toObservable(request).pipe(switchMap((asked) => loading(asked).pipe(outside))), {
    initialValue: undefined,
  });

  // The effect that starts a turn runs after its params change: do not mistake the previous turn for it until then.
  const current = computed((): Loading<Params> => {
    const asked = request();
    const last = loaded();
    if (last?.request === asked) return last;
    const isIdle = isServer || (asked.params === undefined && !('failure' in asked));
    return {
      request: asked,
      state: isIdle ? idleState : waitingState,
      before: last !== undefined && isReload(last.request, asked) ? turnOf(last) : undefined,
    };
  });
  const snapshot = computed(() => snapshotOf(current()));

  return {
    ...resourceOf(snapshot),
    turn: computed(() => turnOf(current()) ?? emptyTurn),
    state: computed(() => current().state),
    stop() {
      left = untracked(request);
      untracked(() => stopped.next());
    },
    reload() {
      const isIdle = untracked(() => current().state.status === 'idle');
      if (!isIdle) reloads.update((count) => count + 1);
      return !isIdle;
    },
  };

  function loading(asked: Request<Params>): Observable<Loading<Params>> {
    const { params } = asked;
    const { before, state } = untracked(current);
    if (state.status === 'idle') return EMPTY;
    return defer(() => {
      if ('failure' in asked) throw asked.failure;
      return from(options.stream({ params: params as Params }));
    }).pipe(
      stopWhen(defer(() => (left === asked ? of(undefined) : stopped))),
      coalesce(options.coalesce ?? frame),
      toState(),
      map((state) => ({ request: asked, state, before })),
    );
  }
}

/**
 * A resource made of its snapshots, by hand: `resourceFromSnapshots()` is missing from Angular 20, and to ask for it at run
 * time either breaks bundles of webpack there or takes all of Angular into those of esbuild (27 kB compressed).
 */
function resourceOf<T>(
  snapshot: Signal<TurnSnapshot<T>>,
): Resource<T> & { readonly snapshot: Signal<TurnSnapshot<T>> } {
  const status = computed(() => snapshot().status);
  return {
    snapshot,
    status,
    value: computed(() => {
      const now = snapshot();
      if (now.status === 'error')
        throw new Error('The turn failed: see error() and turn().', { cause: now.error });
      return now.value;
    }),
    error: computed(() => {
      const now = snapshot();
      return now.status === 'error' ? now.error : undefined;
    }),
    isLoading: computed(() => status() === 'loading' || status() === 'reloading'),
    hasValue: (() => {
      const now = snapshot();
      return now.status !== 'error' && now.value !== undefined;
    }) as Resource<T>['hasValue'],
  };
}

/** The request for a turn. */
interface Request<Params> {
  readonly params: Params | undefined;
  readonly reload: number;
  /** What `params()` threw. */
  readonly failure?: unknown;
}

/** A requested turn. */
interface Loading<Params> {
  readonly request: Request<Params>;
  readonly state: TurnState;
  /** The turn to reload. */
  readonly before: Turn | undefined;
}

const waitingState: TurnState = { ...idleState, status: 'waiting' } as TurnState;

const isSameRequest = <Params>(one: Request<Params>, other: Request<Params>): boolean =>
  one.reload === other.reload && Object.is(one.params, other.params) && one.failure === other.failure;

const isReload = <Params>(last: Request<Params>, asked: Request<Params>): boolean =>
  last.reload !== asked.reload && Object.is(last.params, asked.params);

/** The current turn. While reloading, the previous turn until content arrives, or for good if none does. */
function turnOf<Params>({ state: { status, turn }, before }: Loading<Params>): Turn | undefined {
  const isBegun = status !== 'waiting' && status !== 'retrying' && status !== 'stopped';
  if (before !== undefined && !isBegun && !hasContent(turn)) return before;
  return turn === emptyTurn ? undefined : turn;
}

const hasContent = ({ text, reasoning, refusal, toolCalls }: Turn): boolean =>
  text !== '' || reasoning !== '' || refusal !== '' || toolCalls.length > 0;

function snapshotOf<Params>(loading: Loading<Params>): TurnSnapshot<Turn | undefined> {
  const { state } = loading;
  switch (state.status) {
    case 'idle':
      return { status: 'idle', value: undefined };
    case 'error':
      return { status: 'error', error: state.error };
    case 'completed':
    case 'stopped':
      return { status: 'resolved', value: turnOf(loading) };
    default:
      return { status: loading.before === undefined ? 'loading' : 'reloading', value: turnOf(loading) };
  }
}
