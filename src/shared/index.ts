export { AbandonedTurnError, IncompleteLogError, UnknownTurnError } from './errors.js';
export type { Logged } from './log-parts.js';
export { memoryLog } from './memory-log.js';
export type { WhenLeft } from './runner.js';
export {
  type FollowFrom,
  type SharedTurns,
  sharedTurns,
  type SharedTurnsOptions,
  type TurnContext,
} from './shared-turns.js';
export { type ChannelLike, tabsLog, type TabsLogOptions } from './tabs-log.js';
export type { LogEntry, TurnLog } from './turn-log.js';
export type { LocksLike } from './with-lock.js';
