export { chatOptionsFromEnv, type ChatOptionsFromEnv } from './chat-options-from-env.js';
export { Demand, type DemandOptions } from './flow/demand.js';
export type {
  BreakDiagnostic,
  ContentDiagnostic,
  Diagnostic,
  DiagnosticReport,
  DiagnosticsListener,
  EndDiagnostic,
  MalformedDiagnostic,
  NamelessCallDiagnostic,
  RequestDiagnostic,
  ResponseDiagnostic,
  RetryDiagnostic,
  StartDiagnostic,
} from './turn/diagnostics.js';
export {
  ApplicationError,
  ChatCompletionsError,
  IdleTimeoutError,
  InvalidProviderError,
  InvalidRequestError,
  MissingApiKeyError,
  ProviderStreamError,
  type RequestFailure,
  ResponseTimeoutError,
  RetryLimitError,
  type StatusDetails,
  StallTimeoutError,
  StreamError,
  TransportError,
  UnexpectedContentError,
  UnexpectedStatusError,
} from './turn/errors.js';
export type {
  ChunkEvent,
  CompletedEvent,
  ContentPart,
  CustomToolCallItem,
  CustomToolCallOutputItem,
  FunctionCallArgumentsDeltaEvent,
  FunctionCallItem,
  FunctionCallOutputItem,
  InputAudio,
  InputFile,
  InputImage,
  InputText,
  MessageItem,
  MessageRole,
  OutputItemDoneEvent,
  OutputText,
  ProviderFields,
  ReasoningItem,
  Refusal,
  ResponseEvent,
  ResponseItem,
  RestartingEvent,
  RetryingEvent,
  TokenUsage,
  ToolCallItem,
  ToolOutput,
} from './turn/events.js';
export type { Extras } from './turn/extras.js';
export { iterateChatCompletions, type IterateOptions } from './iterate-chat-completions.js';
export { accumulate } from './operators/accumulate.js';
export { aggregate } from './operators/aggregate.js';
export { coalesce } from './operators/coalesce.js';
export type {
  ChatCompletionChunk,
  ChatCompletionChunkChoice,
  ChatCompletionDelta,
  ToolCallDelta,
} from './relay/chunk-writer.js';
export { encodeEventStream } from './relay/encode-event-stream.js';
export {
  fromServerSentEvents,
  type FromServerSentEventsOptions,
  type ReceivedEvent,
} from './relay/from-server-sent-events.js';
export type { HeartbeatOptions } from './relay/heartbeat.js';
export { isTextDelta, type TextDeltaEvent } from './turn/is-text-delta.js';
export type { PullOptions } from './flow/pull.js';
export { limitTokens } from './operators/limit-tokens.js';
export { outputItems } from './operators/output-items.js';
export { IncompleteStreamError, requireFinish } from './operators/require-finish.js';
export { type Encoded, readableStreamFrom } from './relay/readable-stream-from.js';
export { RemoteTurnError } from './relay/remote-turn-error.js';
export type { ServerSentMessage } from './relay/server-sent-message.js';
export type { TurnErrorReport } from './relay/server-sent-protocol.js';
export type { SegmenterLike, TextSegmenter } from './turn/segment-ends.js';
export { smooth, type SmoothOptions } from './operators/smooth.js';
export { splitThinking, type SplitThinkingOptions } from './operators/split-thinking.js';
export { stopWhen } from './operators/stop-when.js';
export { textDeltas } from './operators/text-deltas.js';
export {
  type ChatCompletion,
  type ChatCompletionChoice,
  type ChatCompletionMessage,
  type ChatCompletionToolCall,
  toChatCompletion,
  type ToChatCompletionOptions,
} from './relay/to-chat-completion.js';
export {
  type ChatCompletionStreamError,
  toChatCompletionChunks,
  type ToChatCompletionChunksOptions,
} from './relay/to-chat-completion-chunks.js';
export { type MessageEventLike, toMessageEvents } from './relay/to-message-events.js';
export { toServerSentEvents, type ToServerSentEventsOptions } from './relay/to-server-sent-events.js';
export {
  idleState,
  toState,
  type ToStateOptions,
  type TurnRetry,
  type TurnState,
} from './operators/to-state.js';
export type { ChatOptions, RetryOptions, TurnOptions } from './options.js';
export type { ChatParams } from './prompt/chat-params.js';
export type { CallIdFormat } from './prompt/call-id-format.js';
export type { MessageFormat, ReasoningField, ToolCallContent } from './prompt/messages.js';
export {
  assistantMessage,
  type EasyMessage,
  functionCallOutput,
  type InputItem,
  type Prompt,
  userMessage,
} from './prompt/prompt.js';
export type {
  CustomTool,
  FunctionTool,
  ProviderTool,
  ResponseFormat,
  ToolChoice,
  ToolDefinition,
} from './prompt/tools.js';
export type { UnsupportedFeature } from './prompt/unsupported.js';
export { azureOpenAI, type AzureOpenAIOptions } from './provider/azure-open-ai.js';
export { builtInProviders } from './provider/built-in-providers.js';
export type { ModelProvider } from './provider/model-provider.js';
export { backoff, type BackoffOptions } from './flow/backoff.js';
export {
  type FetchLike,
  type FetchResponse,
  fetchTransport,
  type FetchTransportOptions,
} from './request/fetch-transport.js';
export { retryWithBackoff, type RetryWithBackoffOptions } from './flow/retry-with-backoff.js';
export type { Admission, AdmissionRequest } from './request/admission.js';
export type { HttpRequest, HttpResponse, Transport } from './request/transport.js';
export {
  decodeChatCompletions,
  type DecodeChatCompletionsOptions,
} from './response/decode-chat-completions.js';
export { decodeEventStream } from './response/decode-event-stream.js';
export type { EventStreamOptions } from './response/event-stream-parser.js';
export { idleTimeout } from './response/idle-timeout.js';
export { type Fallback, type FallbackOptions, fallbackWith } from './compose/fallback-with.js';
export { type HedgeOptions, hedgeWith } from './compose/hedge-with.js';
export {
  type LimitedOptions,
  type LimiterKey,
  rateLimiter,
  type RateLimiter,
  type RateLimiterOptions,
} from './compose/rate-limiter.js';
export { type BreakError, restartOnBreak, type RestartOnBreakOptions } from './compose/restart-on-break.js';
export { accumulateRun } from './run/accumulate-run.js';
export type { ApprovalDecision, Approve } from './run/call-options.js';
export type {
  McpCall,
  McpClient,
  McpRequestOptions,
  McpTool,
  McpToolAnnotations,
  McpToolPage,
} from './run/mcp-client.js';
export { mcpTools, type McpToolsOptions, ToolListError, type ToolListErrorCode } from './run/mcp-tools.js';
export {
  emptyRun,
  reduceRun,
  type Run,
  type RunStatus,
  type RunStep,
  type RunTool,
  type RunToolStatus,
} from './run/run.js';
export { runItems } from './run/run-items.js';
export { runTools, type RunToolsOptions, type Step } from './run/run-tools.js';
export { idleRunState, type RunState, toRunState, type ToRunStateOptions } from './run/to-run-state.js';
export {
  tool,
  type Tool,
  type ToolApproval,
  type ToolArguments,
  type ToolContext,
  type ToolInput,
  type ToolOptions,
  ToolProgress,
  toolProgress,
} from './run/tool.js';
export type {
  ApprovalRequestedEvent,
  InputAddedEvent,
  RunCompletedEvent,
  RunEndReason,
  RunEvent,
  RunResumedEvent,
  ToolEvent,
  ToolFinishedEvent,
  ToolProgressEvent,
  ToolStartedEvent,
} from './turn/run-events.js';
export type {
  JsonSchema,
  Schema,
  SchemaIssue,
  SchemaOutput,
  SchemaPair,
  StandardResult,
  StandardSchema,
} from './turn/schema.js';
export { ToolError, type ToolErrorCode } from './turn/tool-error.js';
export { streamChatCompletions } from './stream-chat-completions.js';
export { type ChatRequestBody, streamChatRequest } from './stream-chat-request.js';
export {
  emptyTurn,
  reduceTurn,
  type Turn,
  type TurnAnswer,
  type TurnChoice,
  type TurnStatus,
  type TurnToolCall,
} from './turn/turn.js';
export { turnItems } from './turn/turn-items.js';
export type { HttpHeaders } from './turn/wire.js';
export type { EventSourceMessage } from 'eventsource-parser';
