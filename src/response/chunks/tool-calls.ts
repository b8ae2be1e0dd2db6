import type { CustomToolCallItem, FunctionCallItem, ResponseEvent } from '../../turn/events.js';
import { isIndex, isRecord, own, stringOf, writeJson } from '../../turn/wire.js';

/** The calls of one choice, while they are written. */
export interface ToolCalls {
  /** Takes the entries of one delta's `tool_calls`. */
  push(entries: readonly unknown[]): void;
  /** Emits, in order, every call that is new or has grown since it was emitted. */
  flush(): void;
}

/** How many calls of one choice are read, and how many indices are told apart: a hostile stream would go on. */
const maxCalls = 1_024;

interface Call {
  /** Which call of its choice it is. */
  readonly index: number;
  id: string;
  /** Whether the provider has named it; a made-up id gives way to the provider's until it was told. */
  hasOwnId: boolean;
  isTold: boolean;
  isCustom: boolean;
  name: string;
  /** Arguments, or a custom tool's input. */
  text: string;
  hasGrown: boolean;
}

/** What one entry of `tool_calls` says, checked. */
interface Entry {
  readonly id: string | undefined;
  readonly index: number | undefined;
  readonly isCustom: boolean;
  readonly name: string;
  readonly text: string;
}

/**
 * Puts calls together from fragments that providers label in many ways: an entry belongs to the call
 * with its non-empty id, else to the one that began at its index, else to the latest. A new id on a
 * used index is a new call, and so is another name, since no fragment renames a call.
 */
export function toolCalls(
  emit: (event: ResponseEvent) => void,
  choice: { readonly choice?: number },
  makeId: (index: number) => string,
): ToolCalls {
  const calls: Call[] = [];
  const byId = new Map<string, Call>();
  const byIndex = new Map<number, Call>();

  function begin(): Call {
    const call = {
      index: calls.length,
      id: makeId(calls.length),
      hasOwnId: false,
      isTold: false,
      isCustom: false,
      name: '',
      text: '',
      hasGrown: true,
    };
    calls.push(call);
    return call;
  }

  /** The call that an entry goes on with; `undefined` where it begins one. */
  function find({ id, index, name }: Entry, begunHere: ReadonlySet<Call>): Call | undefined {
    if (id !== undefined && byId.has(id)) return byId.get(id);
    const isNameless = id === undefined && name === '';
    const call =
      (index === undefined ? undefined : byIndex.get(index)) ??
      (index === undefined || isNameless ? calls.at(-1) : undefined);
    if (call === undefined) return undefined;
    if (id !== undefined && call.hasOwnId) return undefined;
    if (name !== '' && call.name !== '' && (name !== call.name || begunHere.has(call))) return undefined;
    return call;
  }

  function append(call: Call, { id, isCustom, name, text }: Entry): void {
    if (id !== undefined) {
      // An id that was told stays, and the provider's leads to it.
      if (!call.isTold) call.id = id;
      call.hasOwnId = true;
      byId.set(id, call);
    }
    if (call.name === '' && name !== '') {
      call.name = name;
      call.hasGrown = true;
    }
    call.isCustom ||= isCustom;
    if (text === '') return;
    call.text += text;
    call.hasGrown = true;
    call.isTold = true;
    emit({
      type: 'function_call_arguments_delta',
      callId: call.id,
      name: call.name,
      index: call.index,
      delta: text,
      ...choice,
    });
  }

  return {
    push(entries) {
      const begunHere = new Set<Call>();
      for (const raw of entries) {
        const entry = readEntry(raw);
        if (entry === undefined) continue;
        let call = find(entry, begunHere);
        if (call === undefined) {
          if (calls.length >= maxCalls) continue;
          call = begin();
          begunHere.add(call);
        }
        if (entry.index !== undefined && (byIndex.size < maxCalls || byIndex.has(entry.index)))
          byIndex.set(entry.index, call);
        append(call, entry);
      }
    },
    flush() {
      for (const call of calls) {
        if (!call.hasGrown) continue;
        call.hasGrown = false;
        call.isTold = true;
        emit({ type: 'output_item_done', item: itemOf(call), ...choice });
      }
    },
  };
}

function itemOf({ id, name, text, isCustom }: Call): FunctionCallItem | CustomToolCallItem {
  return isCustom
    ? { type: 'custom_tool_call', call_id: id, name, input: text }
    : { type: 'function_call', call_id: id, name, arguments: text };
}

function readEntry(raw: unknown): Entry | undefined {
  if (!isRecord(raw)) return undefined;
  const index = own(raw, 'index');
  const custom = own(raw, 'custom');
  const isCustom = own(raw, 'type') === 'custom' || isRecord(custom);
  const body = isCustom ? custom : own(raw, 'function');
  const name = isRecord(body) ? own(body, 'name') : undefined;
  const text = isRecord(body) ? own(body, isCustom ? 'input' : 'arguments') : undefined;
  const entry = {
    id: stringOf(own(raw, 'id')) || undefined,
    index: isIndex(index) && Number.isSafeInteger(index) ? index : undefined,
    isCustom,
    name: stringOf(name),
    text: textOf(text),
  };
  return entry.id === undefined && entry.name === '' && entry.text === '' ? undefined : entry;
}

/** Some providers send the arguments as the object that they are. */
function textOf(value: unknown): string {
  return typeof value === 'object' && value !== null ? (writeJson(value) ?? '') : stringOf(value);
}
