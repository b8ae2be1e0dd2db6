export { chatOptionsFromEnv, type ChatOptionsFromEnv } from './chat-options-from-env.js';
export type {
  Diagnostic,
  DiagnosticsListener,
  EndDiagnostic,
  MalformedDiagnostic,
  RequestDiagnostic,
  ResponseDiagnostic,
  RetryDiagnostic,
} from './diagnostics.js';
export {
  ChatCompletionsError,
  IdleTimeoutError,
  InvalidProviderError,
  MissingApiKeyError,
  ProviderStreamError,
  type RequestFailure,
  ResponseTimeoutError,
  RetryLimitError,
  StreamError,
  TransportError,
  UnexpectedContentError,
  UnexpectedStatusError,
} from './errors.js';
export type {
  CompletedEvent,
  ContentPart,
  InputText,
  MessageItem,
  MessageRole,
  OutputItemDoneEvent,
  OutputText,
  ResponseEvent,
  ResponseItem,
  RetryingEvent,
  TokenUsage,
} from './events.js';
export { iterateChatCompletions, type IterateOptions } from './iterate-chat-completions.js';
export { accumulate } from './operators/accumulate.js';
export { aggregate } from './operators/aggregate.js';
export { isTextDelta, type TextDeltaEvent } from './operators/is-text-delta.js';
export { IncompleteStreamError, requireFinish } from './operators/require-finish.js';
export { textDeltas } from './operators/text-deltas.js';
export type { ChatOptions, ChatParams, RetryOptions } from './options.js';
export { assistantMessage, type Prompt, userMessage } from './prompt/prompt.js';
export { builtInProviders } from './provider/built-in-providers.js';
export type { ModelProvider } from './provider/model-provider.js';
export { backoff, type BackoffOptions } from './request/backoff.js';
export {
  type FetchLike,
  type FetchResponse,
  fetchTransport,
  type FetchTransportOptions,
} from './request/fetch-transport.js';
export { retryWithBackoff, type RetryWithBackoffOptions } from './request/retry-with-backoff.js';
export type { HttpRequest, HttpResponse, Transport } from './request/transport.js';
export {
  decodeChatCompletions,
  type DecodeChatCompletionsOptions,
} from './response/decode-chat-completions.js';
export { decodeEventStream } from './response/decode-event-stream.js';
export type { EventStreamOptions } from './response/event-stream-parser.js';
export { idleTimeout } from './response/idle-timeout.js';
export { streamChatCompletions } from './stream-chat-completions.js';
export { emptyTurn, reduceTurn, type Turn, type TurnStatus } from './turn.js';
export type { HttpHeaders } from './wire.js';
export type { EventSourceMessage } from 'eventsource-parser';
