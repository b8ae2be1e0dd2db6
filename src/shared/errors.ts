import { ChatCompletionsError, hide } from '../turn/errors.js';
import type { Run } from '../run/run.js';

/** There is no turn with this id: it was never run, or it has expired. */
export class UnknownTurnError extends ChatCompletionsError {
  override get name() {
    return 'UnknownTurnError' as const;
  }

  constructor() {
    super('There is no shared turn with this id, or it has expired.');
  }
}

/**
 * Part of the turn is missing from its log: it was trimmed, or the store lost it.
 *
 * What to do: the events so far are valid, but the rest is lost. Start a new turn with another id.
 */
export class IncompleteLogError extends ChatCompletionsError {
  override get name() {
    return 'IncompleteLogError' as const;
  }

  constructor() {
    super('Part of this shared turn is missing from its log.');
  }
}

/**
 * The instance that ran the turn has stopped, and no other has taken over.
 *
 * What to do: show the partial output (`run`), and start a new turn with another id.
 */
export class AbandonedTurnError extends ChatCompletionsError {
  override get name() {
    return 'AbandonedTurnError' as const;
  }
  /** The partial run: one step for a plain turn. Not enumerable. */
  declare readonly run: Run;

  constructor(run: Run) {
    super('The instance that ran this turn has stopped, and no other has taken over.');
    hide(this, 'run', run);
  }
}
