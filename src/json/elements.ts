import type { JsonListener, JsonScalar } from './json-reader.js';
import { put } from './put.js';

interface Level {
  readonly value: unknown[] | Record<string, unknown>;
  key: string;
  /** How many steps of the path lead here; `undefined` if the path leads elsewhere or ends above. */
  readonly steps: number | undefined;
  /** Whether this is an element, or inside one. */
  readonly isElement: boolean;
}

/** Emits each element of the array at a path when it is closed, and keeps nothing else. */
export class Elements implements JsonListener {
  readonly #levels: Level[] = [];

  constructor(
    readonly path: readonly string[],
    readonly onElement: (element: unknown) => void,
  ) {}

  open(isArray: boolean): void {
    const parent = this.#levels.at(-1);
    this.#levels.push({
      value: isArray ? [] : {},
      key: '',
      steps: this.#stepsBelow(parent),
      isElement: parent !== undefined && (parent.isElement || this.#isTarget(parent)),
    });
  }

  close(): void {
    const value = this.#levels.pop()?.value;
    this.#add(value);
  }

  key(key: string): void {
    const level = this.#levels.at(-1);
    if (level !== undefined) level.key = key;
  }

  value(value: JsonScalar, isPartial: boolean): void {
    if (!isPartial) this.#add(value);
  }

  #add(value: unknown): void {
    const level = this.#levels.at(-1);
    if (level === undefined) return;
    if (this.#isTarget(level)) this.onElement(value);
    else if (level.isElement)
      put(level.value, Array.isArray(level.value) ? level.value.length : level.key, value);
  }

  #isTarget({ value, steps }: Level): boolean {
    return steps === this.path.length && Array.isArray(value);
  }

  #stepsBelow(parent: Level | undefined): number | undefined {
    if (parent === undefined) return 0;
    const { value, key, steps } = parent;
    return steps !== undefined && !Array.isArray(value) && this.path[steps] === key ? steps + 1 : undefined;
  }
}
