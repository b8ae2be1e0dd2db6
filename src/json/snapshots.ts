import type { JsonListener, JsonScalar } from './json-reader.js';
import { put } from './put.js';

interface Level {
  value: unknown[] | Record<string, unknown>;
  /** Where the next value goes. */
  at: string | number;
  /** The cost of copying it. */
  cost: number;
}

/** Copying an array's entry costs 1. An object's entry costs more, increasingly so for larger objects. */
const keyCost = 128;

/** How much each character read adds to the budget for snapshots: that much copying takes as long as reading it. */
const costPerCharacter = 128;

/** The initial budget: documents of up to a hundred kilobytes usually get a snapshot for every change. */
const allowance = 4_194_304;

/**
 * Immutable snapshots of a growing JSON value: open containers are copied when they change after a snapshot, closed ones
 * are shared.
 *
 * A snapshot costs as much as the size of the open arrays and objects. If that exceeds the budget, the next snapshot
 * waits, so that the total cost stays linear in the length of the text.
 */
export class Snapshots implements JsonListener {
  readonly #levels: Level[] = [];
  /** How many levels, from the root, were copied since the last snapshot and are not yet shared. */
  #own = 0;
  /** The cost of copying the open levels. */
  #cost = 0;
  #credit = allowance;
  #root: unknown;
  #hasChanged = false;

  /** Whether a snapshot would differ from the last. */
  get hasChanged(): boolean {
    return this.#hasChanged;
  }

  /** Adds to the budget. Returns whether it covers a snapshot. */
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
    // The end of a string changes nothing.
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
