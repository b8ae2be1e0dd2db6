export type { AnswerHead } from './answer.js';
export type {
  Cassette,
  RecordedEnd,
  RecordedError,
  RecordedExchange,
  RecordedRead,
  RecordedRequest,
  RecordedResponse,
} from './cassette.js';
export {
  type MarbleAnswer,
  type MarbleConnection,
  marbleTransport,
  type MarbleTransport,
} from './marble-transport.js';
export { observableMatcher } from './observable-matcher.js';
export { recordTransport, type RecordTransportOptions } from './record-transport.js';
export { replayTransport, type ReplayTransportOptions } from './replay-transport.js';
export { type ScriptedAnswer, scriptedTransport, type ScriptedTransport } from './scripted-transport.js';
export {
  completedEvent,
  type CompletedOptions,
  type EventOptions,
  reasoningEvent,
  type ReasoningOptions,
  refusalEvent,
  restartingEvent,
  type RestartingOptions,
  textEvent,
  type ToolCall,
  toolCallEvents,
  turnOf,
  type TurnPart,
} from './turn-events.js';
export {
  type ChunkOptions,
  commentChunk,
  dataChunk,
  deltaChunk,
  doneChunk,
  errorBody,
  errorChunk,
  finishChunk,
  reasoningChunk,
  type ReasoningChunkOptions,
  refusalChunk,
  roleChunk,
  textChunk,
  usageChunk,
  type WireError,
} from './wire-chunks.js';
export { chunksOf, toolCallChunks, wireOf } from './wire-of.js';
