import { isTextDelta } from '../turn/is-text-delta.js';
import { isTurnEvent } from '../turn/is-turn-event.js';
import type { RunEvent } from '../turn/run-events.js';
import { emptyTurn, reduceTurn } from '../turn/turn.js';
import { type JsonListener, JsonReader } from './json-reader.js';
import { OutputError, type OutputErrorCode } from './output-error.js';
import { hasCalls, turnFault } from './turn-fault.js';

/** Reads the JSON in the text of choice 0 from the events of one turn. */
export class JsonAnswer {
  readonly #reader: JsonReader;
  #turn = emptyTurn;

  constructor(listener: JsonListener) {
    this.#reader = new JsonReader(listener);
  }

  /**
   * Reads an event and returns how many characters of text it added.
   *
   * @throws OutputError if the text is not JSON
   */
  read(event: RunEvent): number {
    if (!isTurnEvent(event)) return 0;
    this.#turn = reduceTurn(this.#turn, event);
    if (!isTextDelta(event) || (event.choice ?? 0) !== 0) return 0;
    const { text } = event.item.content[0];
    this.#check(this.#reader.write(text));
    return text.length;
  }

  /** @throws OutputError if the turn ended with an incomplete answer, unless the caller stopped it or it called tools */
  checkEnd(event: RunEvent): void {
    if (event.type !== 'completed' || event.stopped === true || hasCalls(this.#turn)) return;
    this.#check(turnFault(this.#turn, event) ?? (this.#reader.isOver ? undefined : 'invalid_json'));
  }

  #check(code: OutputErrorCode | undefined): void {
    if (code !== undefined) throw new OutputError(code, this.#turn);
  }
}
