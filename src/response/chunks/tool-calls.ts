import type { ResponseEvent, ToolCallItem } from '../../turn/events.js';
import { callExtras, type Extras, type ExtrasKeeper, extrasKeeper, joinExtras } from '../../turn/extras.js';
import { isRecord, own, parseJson, stringOf, writeJson } from '../../turn/wire.js';
import { jsonNesting, type JsonNesting } from './json-nesting.js';
import { beginsObject, wholeArguments } from './whole-arguments.js';

/** Assembles the calls of one choice. */
export interface ToolCalls {
  /** Takes the entries of one delta's `tool_calls`. */
  push(entries: readonly unknown[]): void;
  /**
   * Emits every complete call, once and in order, at the end of the answer: a finish reason may come before the last
   * fragment. Returns how many calls were cut off.
   */
  end(end: CallsEnd): number;
}

/**
 * How a choice ended, and which of its calls are emitted:
 *
 * | The end | A call is complete |
 * | --- | --- |
 * | `finished`: a finish reason of a complete answer, and no fragment after it unless `[DONE]` came | always |
 * | `done`: `[DONE]`, and no finish reason | unless its arguments are invalid JSON |
 * | `cut`: neither, or a finish reason such as `length` | if its arguments are a JSON object, and not a placeholder |
 *
 * A placeholder is a `{}` in one fragment, which some servers begin with. A placeholder, a name alone and a custom tool's
 * input do not show whether more was to come.
 *
 * @see docs/tool-calls.md#the-end-of-the-stream-and-what-is-emitted
 */
export type CallsEnd = 'finished' | 'done' | 'cut';

/** The context in which a choice's calls are assembled. */
export interface ToolCallsOptions {
  readonly emit: (event: ResponseEvent) => void;
  /** The choice's fields in its events: none for choice 0. */
  readonly label: { readonly choice?: number };
  /** Makes an id for a call without one. */
  readonly makeId: (index: number) => string;
  /** Keeps the provider's unmodelled fields of a call. Default: a separate one. */
  readonly keeper?: ExtrasKeeper | undefined;
  /** How many JSON values a call's arguments may contain. Default 1,000,000. */
  readonly maxEventValues?: number | undefined;
  /** Called for each call that never got a name. */
  readonly onNameless?: ((call: { readonly length: number }) => void) | undefined;
  /** How many calls the answer has so far, in all choices. */
  readonly total?: { calls: number } | undefined;
}

/** Limits the calls of an answer, and the indices of a choice, since a hostile stream would go on. */
const maxCalls = 1_024;

/** Maximum length of an assembled name, in UTF-16 code units; OpenAI allows 64. */
const maxNameLength = 1_024;

interface Call {
  /** Its position among the calls of its choice, in the order in which they began. */
  readonly index: number;
  /** The first index that the provider gave it. */
  givenIndex: number | undefined;
  /** The provider's id for it. */
  givenId: string | undefined;
  /** The id in events: the provider's, unless a generated one was emitted before it came, or another call has it. */
  id: string;
  isTold: boolean;
  isCustom: boolean;
  name: string;
  /** The fragments of its arguments, or of a custom tool's input, and how many of them were emitted. */
  readonly pieces: string[];
  told: number;
  length: number;
  /** The nesting of the arguments after the first `read` fragments. */
  readonly nesting: JsonNesting;
  read: number;
  /** The first `parsed` fragments have balanced brackets but are not valid JSON, so no later fragment can fix them. */
  isBroken: boolean;
  parsed: number;
  /** Whether the last of `seen` fragments is a complete object by itself. */
  endsWithObject: boolean;
  seen: number;
  readonly maxEventValues: number | undefined;
  /** It began with only a name that an earlier call has, and does not count unless more comes. */
  isEcho: boolean;
  /** The provider's unmodelled fields. */
  extras: Extras | undefined;
}

/** One entry of `tool_calls`, checked. */
interface Entry {
  readonly id: string | undefined;
  readonly index: number | undefined;
  readonly isCustom: boolean;
  readonly name: string;
  readonly text: string;
  readonly extras: Extras | undefined;
}

/** How an entry relates to the call that it may continue. */
interface Relation {
  /** It has that call's id. */
  readonly hasItsId: boolean;
  /** It has an index, at which there is another call, or none. */
  readonly isElsewhere: boolean;
  /** The call began in the same delta. */
  readonly isSameDelta: boolean;
}

/**
 * Assembles calls from fragments, which providers label in many ways. Which call an entry belongs to:
 *
 * | The entry | belongs to |
 * | --- | --- |
 * | has the id of a call | that call; if two calls share the id, the one at its index, else the later |
 * | has a known index | the latest call at that index |
 * | has no index, or a new one and neither id nor name | the latest call |
 * | has a new index, and an id or a name | a new call |
 *
 * It begins a new call nevertheless if it has a name, and
 *
 * | its id is | its name is | new call if |
 * | --- | --- | --- |
 * | the call's | different | its index differs too |
 * | the call's | any, after complete arguments | its arguments start over, and its index differs or the delta is the same |
 * | new, and the call has one | any | always, unless the name is the same and the arguments are incomplete |
 * | missing | any | the call began in the same delta |
 * | missing | different | the call has arguments; otherwise it is the next piece of the name |
 * | missing | the same | the call has no id, its arguments are complete, and new ones begin |
 *
 * So an id without a name never begins a call on a known index, whatever the id. An index is a number or a
 * number as text; an id is not empty, and not Mistral's `"null"`. A call without a name at the end is dropped.
 * Calls are emitted in the order of their index; a call without one follows the call that began before it.
 *
 * @see docs/tool-calls.md, which names the servers behind each row
 */
export function toolCalls({
  emit,
  label,
  makeId,
  onNameless,
  maxEventValues,
  keeper = extrasKeeper(),
  total = { calls: 0 },
}: ToolCallsOptions): ToolCalls {
  const calls: Call[] = [];
  const byId = new Map<string, Call>();
  const byIndex = new Map<number | undefined, Call>();

  function begin({ id, index, name }: Entry, begunHere: ReadonlySet<Call>): Call {
    const before = index === undefined ? calls.at(-1) : byIndex.get(index);
    const isEcho = id === undefined && before?.name === name && !begunHere.has(before);
    const call: Call = {
      index: calls.length,
      givenIndex: index,
      givenId: undefined,
      id: makeId(calls.length),
      isTold: false,
      isCustom: false,
      name: '',
      pieces: [],
      told: 0,
      length: 0,
      nesting: jsonNesting(),
      read: 0,
      isBroken: false,
      parsed: 0,
      endsWithObject: false,
      seen: 0,
      maxEventValues,
      isEcho,
      extras: undefined,
    };
    calls.push(call);
    return call;
  }

  /** The call that an entry continues; `undefined` if it begins one. */
  function find(entry: Entry, begunHere: ReadonlySet<Call>): Call | undefined {
    const { id, index, name } = entry;
    const there = byIndex.get(index);
    const sameId = id === undefined ? undefined : there?.givenId === id ? there : byId.get(id);
    const saysNothing = index === undefined || (id === undefined && name === '');
    const call = sameId ?? there ?? (saysNothing ? calls.at(-1) : undefined);
    if (call === undefined) return undefined;
    const relation = {
      hasItsId: sameId !== undefined,
      isElsewhere: index !== undefined && there !== call,
      isSameDelta: begunHere.has(call),
    };
    return isAnother(call, entry, relation) ? undefined : call;
  }

  function append(call: Call, { id, isCustom, name, text, extras }: Entry): void {
    const kept = keeper.keep(extras);
    if (kept !== undefined) call.extras = joinExtras(call.extras, kept);
    if (id !== undefined && call.givenId === undefined) {
      // An emitted id does not change, and no call takes another call's id.
      if (!call.isTold && !byId.has(id)) call.id = id;
      call.givenId = id;
      byId.set(id, call);
    }
    if (call.pieces.length === 0 || call.name === '') call.name = longerName(call.name, name);
    call.isCustom ||= isCustom;
    if (text !== '') {
      call.pieces.push(text);
      call.length += text.length;
    }
    tell(call);
  }

  /** A call is not emitted until it has a name. */
  function tell(call: Call): void {
    if (call.name === '' || call.told === call.pieces.length) return;
    const delta = call.pieces.slice(call.told).join('');
    call.told = call.pieces.length;
    call.isTold = true;
    emitDelta(call, delta);
  }

  function emitDelta({ id, name, index }: Call, delta: string): void {
    emit({ type: 'function_call_arguments_delta', callId: id, name, index, delta, ...label });
  }

  return {
    push(entries) {
      const begunHere = new Set<Call>();
      for (const raw of entries) {
        const entry = readEntry(raw);
        if (entry === undefined) continue;
        const { index } = entry;
        let call = find(entry, begunHere);
        const begins = call === undefined;
        if (call === undefined) {
          if (total.calls >= maxCalls) continue;
          total.calls += 1;
          call = begin(entry, begunHere);
          begunHere.add(call);
        }
        if (index !== undefined && (begins || (!byIndex.has(index) && byIndex.size < maxCalls))) {
          call.givenIndex ??= index;
          byIndex.set(index, call);
        }
        append(call, entry);
      }
    },
    end(end) {
      let cut = 0;
      for (const call of inOrder(calls)) {
        if (call.name === '') onNameless?.({ length: call.length });
        else if (!call.isEcho || call.pieces.length > 0) {
          const item = itemOf(call, keeper.provider);
          if (isWholeAt(end, call, item)) emit({ type: 'output_item_done', item, ...label });
          else {
            cut += 1;
            // A name alone has not been emitted yet.
            if (!call.isTold) emitDelta(call, '');
          }
        }
      }
      return cut;
    },
  };
}

/** The table of {@link CallsEnd}. */
function isWholeAt(end: CallsEnd, call: Call, item: ToolCallItem): boolean {
  if (end === 'finished') return true;
  if (item.type === 'custom_tool_call' || item.arguments === '') return end === 'done';
  const value = parseJson(item.arguments, call.maxEventValues);
  if (end === 'done') return value !== undefined;
  return isRecord(value) && (Object.keys(value).length > 0 || !call.pieces.some(isEmptyObject));
}

const isPlaceholder = ({ pieces }: Call): boolean => pieces.length === 1 && isEmptyObject(pieces[0] ?? '');

const isEmptyObject = (text: string): boolean => text.length < 16 && /^\s*\{\s*\}\s*$/.test(text);

/** Whether an entry begins a new call, although it could continue a known one. */
function isAnother(call: Call, { id, name, text }: Entry, relation: Relation): boolean {
  const { hasItsId, isElsewhere, isSameDelta } = relation;
  if (name === '') return false;
  const isRenamed = call.name !== '' && name !== call.name;
  if (hasItsId) {
    if (isRenamed && isElsewhere) return true;
    return (isRenamed || isElsewhere || isSameDelta) && text !== '' && beginsAnew(call, text);
  }
  if (id !== undefined && call.givenId !== undefined) return isSameDelta || isRenamed || !isHalfway(call);
  if (call.name === '') return false;
  if (isSameDelta) return true;
  if (isRenamed) return call.pieces.length > 0;
  return call.givenId === undefined && !isRepeated(call, text) && beginsAnew(call, text);
}

/** Whether a fragment follows complete arguments and starts over: it belongs to a new call, or repeats this one. */
function beginsAnew(call: Call, text: string): boolean {
  const isNext = text === '' || beginsObject(text);
  if (!isNext || call.isCustom || call.isBroken || !nestingOf(call).isWhole) return false;
  // After a placeholder, the real arguments come in pieces.
  if (isPlaceholder(call) && text !== '' && !isRecord(parseJson(text, call.maxEventValues))) return false;
  if (call.parsed !== call.pieces.length) {
    call.parsed = call.pieces.length;
    const whole = wholeArguments(call.pieces, call.maxEventValues);
    call.isBroken = parseJson(whole, call.maxEventValues) === undefined;
  }
  return !call.isBroken;
}

/** Whether arguments have begun and not ended. Arguments that are re-sent in full end with each fragment. */
function isHalfway(call: Call): boolean {
  if (call.isCustom || !nestingOf(call).isOpen) return false;
  if (call.seen !== call.pieces.length) {
    call.seen = call.pieces.length;
    const last = call.pieces.at(-1) ?? '';
    call.endsWithObject = beginsObject(last) && isRecord(parseJson(last, call.maxEventValues));
  }
  return !call.endsWithObject;
}

/** Whether a fragment repeats everything so far. */
function isRepeated({ pieces, length }: Call, text: string): boolean {
  return text === pieces.at(-1) || (text.length === length && text === pieces.join(''));
}

/** The nesting of a call's arguments: computed only when needed, reading each fragment once. */
function nestingOf(call: Call): JsonNesting {
  for (; call.read < call.pieces.length; call.read += 1) call.nesting.read(call.pieces[call.read] ?? '');
  return call.nesting;
}

/** Names come in pieces, repeated, or longer each time. */
function longerName(name: string, more: string): string {
  if (name !== '' && name.length + more.length > maxNameLength) return name;
  return more.startsWith(name) ? more : name + more;
}

/** Sorts by index; a call without one follows the call that began before it. */
function inOrder(calls: readonly Call[]): readonly Call[] {
  let place = -1;
  return calls
    .map((call) => ({ call, place: (place = call.givenIndex ?? place) }))
    .sort((a, b) => a.place - b.place)
    .map(({ call }) => call);
}

function itemOf(
  { id, name, pieces, isCustom, extras, maxEventValues }: Call,
  provider: string | undefined,
): ToolCallItem {
  const said = extras && { extras, ...(provider !== undefined && { provider }) };
  return isCustom
    ? { type: 'custom_tool_call', call_id: id, name, input: pieces.join(''), ...said }
    : {
        type: 'function_call',
        call_id: id,
        name,
        arguments: wholeArguments(pieces, maxEventValues),
        ...said,
      };
}

function readEntry(raw: unknown): Entry | undefined {
  if (!isRecord(raw)) return undefined;
  const id = stringOf(own(raw, 'id'));
  const custom = own(raw, 'custom');
  const isCustom = own(raw, 'type') === 'custom' || isRecord(custom);
  const body = isCustom ? custom : own(raw, 'function');
  const name = isRecord(body) ? own(body, 'name') : undefined;
  const text = isRecord(body) ? own(body, isCustom ? 'input' : 'arguments') : undefined;
  const entry = {
    id: id === '' || id === 'null' ? undefined : id,
    index: readIndex(own(raw, 'index')),
    isCustom,
    name: stringOf(name),
    text: textOf(text),
    extras: callExtras(raw),
  };
  const saysSomething = entry.id ?? entry.extras ?? (entry.name || entry.text);
  return saysSomething ? entry : undefined;
}

/** A number, or a number as text. */
function readIndex(value: unknown): number | undefined {
  const index = typeof value === 'string' && /^\d{1,15}$/.test(value) ? Number(value) : value;
  return typeof index === 'number' && Number.isSafeInteger(index) && index >= 0 ? index : undefined;
}

/** Some providers send the arguments as an object, not as JSON text. */
function textOf(value: unknown): string {
  return typeof value === 'object' && value !== null ? (writeJson(value) ?? '') : stringOf(value);
}
