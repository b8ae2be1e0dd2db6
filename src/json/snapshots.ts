import type { JsonListener, JsonScalar } from './json-reader.js';
import { put } from './put.js';

interface Level {
  value: unknown[] | Record<string, unknown>;
  /** Where the next value goes. */
  at: string | number;
  /** What it costs to copy. */
  cost: number;
}

/** What copying one entry of an array costs is 1. One of an object takes longer, the more so the more it has. */
const keyCost = 128;

/** What each character that is read adds to what snapshots may cost: so much takes as long as to read it. */
const costPerCharacter = 128;

/** What snapshots may cost beyond that: documents of up to a hundred kilobytes, as a rule, have one for each change. */
const allowance = 4_194_304;

/**
 * A JSON value that grows, as immutable snapshots: what is still open is copied when it changes after a snapshot, and
 * what is closed is shared.
 *
 * A snapshot costs what the open arrays and objects hold. Where that is more than what has been read can pay for, the
 * next one waits, so that all of them together cost what the length of the text does.
 */
export class Snapshots implements JsonListener {
  readonly #levels: Level[] = [];
  /** How many levels, from the root on, were copied since the last snapshot: they are nobody else's yet. */
  #own = 0;
  /** What it costs to copy the open levels. */
  #cost = 0;
  #credit = allowance;
  #root: unknown;
  #hasChanged = false;

  /** Whether a snapshot would differ from the last. */
  get hasChanged(): boolean {
    return this.#hasChanged;
  }

  /** Counts what was read; whether that can pay for a snapshot. */
  canPay(characters: number): boolean {
    this.#credit += characters * costPerCharacter;
    return this.#credit >= this.#cost;
  }

  take(): unknown {
    this.#credit -= this.#cost;
    this.#hasChanged = false;
    this.#own = 0;
    return this.#root;
  }

  open(isArray: boolean): void {
    const value = isArray ? [] : {};
    this.#set(value);
    this.#levels.push({ value, at: isArray ? 0 : '', cost: 1 });
    this.#cost += 1;
    this.#own = this.#levels.length;
  }

  close(): void {
    this.#cost -= this.#levels.pop()?.cost ?? 0;
    this.#own = Math.min(this.#own, this.#levels.length);
    this.#advance();
  }

  key(key: string): void {
    const level = this.#levels.at(-1);
    if (level !== undefined) level.at = key;
  }

  value(value: JsonScalar, isPartial: boolean): void {
    const level = this.#levels.at(-1);
    // That a string has ended changes nothing.
    if (level === undefined || !isSame(level, value)) this.#set(value);
    if (!isPartial) this.#advance();
  }

  #set(value: unknown): void {
    this.#hasChanged = true;
    this.#copyOpen();
    const level = this.#levels.at(-1);
    if (level === undefined) this.#root = value;
    else put(level.value, level.at, value);
  }

  #advance(): void {
    const level = this.#levels.at(-1);
    if (level === undefined) return;
    const cost = typeof level.at === 'number' ? 1 : keyCost;
    if (typeof level.at === 'number') level.at += 1;
    level.cost += cost;
    this.#cost += cost;
  }

  #copyOpen(): void {
    for (; this.#own < this.#levels.length; this.#own += 1) {
      const level = this.#levels[this.#own];
      if (level === undefined) return;
      level.value = Array.isArray(level.value) ? level.value.slice() : { ...level.value };
      const parent = this.#levels[this.#own - 1];
      if (parent === undefined) this.#root = level.value;
      else put(parent.value, parent.at, level.value);
    }
  }
}

function isSame({ value, at }: Level, next: JsonScalar): boolean {
  return Object.hasOwn(value, at) && (value as Record<string | number, unknown>)[at] === next;
}
