import { ChatCompletionsError, hide } from '../turn/errors.js';
import type { Run } from '../run/run.js';

/** There is no turn of this id: nobody has run it, or it is no longer kept. */
export class UnknownTurnError extends ChatCompletionsError {
  override get name() {
    return 'UnknownTurnError' as const;
  }

  constructor() {
    super('There is no shared turn of this id, or it is no longer kept.');
  }
}

/**
 * A part of the turn is no longer in its log: it was trimmed, or the store has lost it.
 *
 * What to do: nothing that was read is wrong, and the rest is not to be had. Ask again under another id.
 */
export class IncompleteLogError extends ChatCompletionsError {
  override get name() {
    return 'IncompleteLogError' as const;
  }

  constructor() {
    super('A part of this shared turn is no longer in its log.');
  }
}

/**
 * Whoever ran the turn has gone, and nobody took over.
 *
 * What to do: show what there was (`run`), and ask again under another id.
 */
export class AbandonedTurnError extends ChatCompletionsError {
  override get name() {
    return 'AbandonedTurnError' as const;
  }
  /** What there was: one step for a plain turn. Not enumerable. */
  declare readonly run: Run;

  constructor(run: Run) {
    super('The instance that ran this turn has gone, and no other took over.');
    hide(this, 'run', run);
  }
}
