import type { Attributes, AttributeValue } from '@opentelemetry/api';
import type { ModelProvider } from '../provider/model-provider.js';
import { isRecord, own } from '../turn/wire.js';
import { attribute, operation, providerNames } from './names.js';
import { quietly } from './quietly.js';

/** What is known before the request is sent, for samplers and as attributes of metrics. */
export function identityAttributes({ name, baseUrl }: ModelProvider, model: unknown): Attributes {
  return {
    [attribute.operationName]: operation.chat,
    [attribute.providerName]: providerNames[name] ?? name,
    ...(typeof model === 'string' && { [attribute.requestModel]: model }),
    ...serverAttributes(baseUrl),
  };
}

/** A relative URL, as browsers allow, names no server. */
function serverAttributes(baseUrl: string): Attributes {
  const url = quietly(() => new URL(baseUrl));
  if (url === undefined) return {};
  const { hostname, port, protocol } = url;
  return {
    [attribute.serverAddress]: hostname,
    [attribute.serverPort]: port === '' ? (protocol === 'http:' ? 80 : 443) : Number(port),
  };
}

/** The parameters of a request, without its content. */
export function parameterAttributes(parameters: Record<string, unknown>): Attributes {
  const attributes: Record<string, AttributeValue> = { [attribute.requestStream]: true };
  for (const [name, parameter] of numbers) {
    const value = own(parameters, parameter);
    if (typeof value === 'number') attributes[name] = value;
  }
  const level = own(parameters, 'reasoning_effort');
  if (typeof level === 'string') attributes[attribute.requestReasoningLevel] = level;
  const count = own(parameters, 'n');
  if (typeof count === 'number' && count !== 1) attributes[attribute.requestChoiceCount] = count;
  const format = own(parameters, 'response_format');
  if (isRecord(format)) attributes[attribute.outputType] = own(format, 'type') === 'text' ? 'text' : 'json';
  return attributes;
}

/** If a parameter has two names, the later one wins. */
const numbers = [
  [attribute.requestTemperature, 'temperature'],
  [attribute.requestTopP, 'top_p'],
  [attribute.requestTopK, 'top_k'],
  [attribute.requestSeed, 'seed'],
  [attribute.requestMaxTokens, 'max_tokens'],
  [attribute.requestMaxTokens, 'max_completion_tokens'],
  [attribute.requestFrequencyPenalty, 'frequency_penalty'],
  [attribute.requestPresencePenalty, 'presence_penalty'],
] as const;
