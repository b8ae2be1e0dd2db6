/**
 * Every name of a span, attribute, event and metric from the semantic conventions: they still change, and when they
 * do, only this file has to.
 *
 * The names are from the OpenTelemetry semantic conventions for generative AI **v0.1.0** (status: development), their
 * first separate release, as read in November 2026. Source of each group: the page named beside it, in
 * https://github.com/open-telemetry/semantic-conventions-genai/blob/v0.1.0/docs/gen-ai/ unless it says otherwise.
 */
/** `client-inference.md`, span `gen_ai.client.inference`; `server.*`, `error.type` and `http.*`: semantic-conventions v1.44.0. */
export const attribute = {
  operationName: 'gen_ai.operation.name',
  providerName: 'gen_ai.provider.name',
  serverAddress: 'server.address',
  serverPort: 'server.port',
  errorType: 'error.type',
  outputType: 'gen_ai.output.type',
  requestModel: 'gen_ai.request.model',
  requestStream: 'gen_ai.request.stream',
  requestChoiceCount: 'gen_ai.request.choice.count',
  requestSeed: 'gen_ai.request.seed',
  requestTemperature: 'gen_ai.request.temperature',
  requestTopP: 'gen_ai.request.top_p',
  requestTopK: 'gen_ai.request.top_k',
  requestMaxTokens: 'gen_ai.request.max_tokens',
  requestFrequencyPenalty: 'gen_ai.request.frequency_penalty',
  requestPresencePenalty: 'gen_ai.request.presence_penalty',
  requestReasoningLevel: 'gen_ai.request.reasoning.level',
  responseId: 'gen_ai.response.id',
  responseModel: 'gen_ai.response.model',
  responseFinishReasons: 'gen_ai.response.finish_reasons',
  responseTimeToFirstChunk: 'gen_ai.response.time_to_first_chunk',
  usageInputTokens: 'gen_ai.usage.input_tokens',
  usageOutputTokens: 'gen_ai.usage.output_tokens',
  usageCacheReadInputTokens: 'gen_ai.usage.cache_read.input_tokens',
  usageReasoningOutputTokens: 'gen_ai.usage.reasoning.output_tokens',
  tokenModality: 'gen_ai.token.modality',
  httpStatus: 'http.response.status_code',
} as const;

/** `client-inference.md` and `execute-tool.md`, opt-in: the only attributes that hold content. */
export const contentAttribute = {
  requestStopSequences: 'gen_ai.request.stop_sequences',
  inputMessages: 'gen_ai.input.messages',
  outputMessages: 'gen_ai.output.messages',
  toolDefinitions: 'gen_ai.tool.definitions',
  toolCallArguments: 'gen_ai.tool.call.arguments',
  toolCallResult: 'gen_ai.tool.call.result',
} as const;

/** `client-inference.md` and `gen-ai-token-metrics.md`; until September 2026 `gen_ai.client.operation.*`. */
export const metric = {
  duration: 'gen_ai.client.inference.duration',
  timeToFirstChunk: 'gen_ai.client.inference.time_to_first_chunk',
  inputTokens: 'gen_ai.client.inference.usage.input_tokens',
  outputTokens: 'gen_ai.client.inference.usage.output_tokens',
  cacheReadInputTokens: 'gen_ai.client.inference.usage.cache_read.input_tokens',
  reasoningOutputTokens: 'gen_ai.client.inference.usage.reasoning.output_tokens',
} as const;

/** `client-inference.md`: the buckets of both durations, in seconds. */
export const durationBuckets = [
  0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92,
];

/** Values of `gen_ai.operation.name`, which begin the spans' names: `client-inference.md`, `execute-tool.md`, `gen-ai-agent-spans.md`. */
export const operation = { chat: 'chat', executeTool: 'execute_tool', invokeAgent: 'invoke_agent' } as const;

/** `execute-tool.md` (span `gen_ai.execute_tool`) and `gen-ai-agent-spans.md` (span `gen_ai.invoke_agent.internal`). */
export const runAttribute = {
  agentName: 'gen_ai.agent.name',
  toolName: 'gen_ai.tool.name',
  toolCallId: 'gen_ai.tool.call.id',
  toolType: 'gen_ai.tool.type',
} as const;

/** `execute-tool.md`: a tool that the application executes itself. */
export const functionTool = 'function';

/** `client-inference.md`: the values of `gen_ai.provider.name` that differ from the names of the built-in providers. */
export const providerNames: Readonly<Record<string, string>> = {
  azure: 'azure.ai.openai',
  gemini: 'gcp.gemini',
  mistral: 'mistral_ai',
  moonshot: 'moonshot_ai',
  xai: 'x_ai',
};

/** Names that the conventions lack: how a turn handles failures, and decisions in a run. */
export const own = {
  /** Span event: a request failed and another follows. */
  retry: 'rxjs_chat_completions.retry',
  /** Span event: the answer broke off and was requested again. */
  restart: 'rxjs_chat_completions.restart',
  /** Number of the request, or of the turn, that failed; the first is 1. */
  attempt: 'rxjs_chat_completions.attempt',
  /** Seconds until the next one. */
  delay: 'rxjs_chat_completions.delay',
  /** How the turn, the run or the tool ended: `completed`, `error` or `unsubscribed`. */
  outcome: 'rxjs_chat_completions.outcome',
  /** Why a run ended: `answered`, `stopped`, `pending` or `max_turns`. */
  runReason: 'rxjs_chat_completions.run.reason',
  /** How many turns a run had. */
  runTurns: 'rxjs_chat_completions.run.turns',
  /** Span event: a call waits for a decision. */
  approvalRequested: 'rxjs_chat_completions.approval_requested',
  /** Span event: the decision has come, and the call is executed or rejected. */
  approvalDecided: 'rxjs_chat_completions.approval_decided',
  approved: 'rxjs_chat_completions.approved',
  /** Seconds from the request for a decision to what followed. */
  wait: 'rxjs_chat_completions.wait',
  /** Span event: a call was refused before any tool ran. */
  callRefused: 'rxjs_chat_completions.call_refused',
} as const;
