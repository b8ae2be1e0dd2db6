import type { Attributes, Context, Link } from '@opentelemetry/api';
import { asyncScheduler, map } from 'rxjs';
import type { ChatOptions, TurnOptions } from '../options.js';
import { fetchTransport } from '../request/fetch-transport.js';
import { redactor } from '../request/secrets.js';
import type { HttpRequest, HttpResponse, Transport } from '../request/transport.js';
import type { Diagnostic, EndDiagnostic } from '../turn/diagnostics.js';
import { isRecord, own, parseJson, writeJson } from '../turn/wire.js';
import { type Inference, startInference, type Telemetry } from './inference.js';
import { inputMessages, outputMessages } from './messages.js';
import { contentAttribute } from './names.js';
import { quietly } from './quietly.js';
import { type AnswerRecorder, answerRecorder } from './record-answer.js';
import { identityAttributes, parameterAttributes } from './request-attributes.js';
import { transportWithin } from './transport-within.js';
import { activeContext } from './within.js';

/** One subscription to the operators around turns, which groups the turns that belong together. */
export interface Scope {
  /** The subscriber's context. */
  readonly parent: Context;
  /** The spans whose turn has failed, in that order. */
  readonly failed: Inference[];
}

/** A running turn. */
interface Running {
  readonly inference: Inference;
  request?: HttpRequest;
  recorder?: AnswerRecorder;
}

/**
 * Options whose turns are traced. In a scope, the span of a failed turn stays open: the next turn with these options
 * reuses it, or the end of the scope closes it with the time of the failure.
 *
 * @see docs/decisions/0010-tracing.md
 */
export function tracedOptions<Options extends TurnOptions>(
  options: Options,
  telemetry: Telemetry,
  scope?: Scope,
): Options {
  const { provider, scheduler = asyncScheduler, transport = fetchTransport() } = options;
  const { model, params, responseFormat } = options as Partial<ChatOptions>;
  // The turn reports invalid options.
  const identity = quietly(() => identityAttributes(provider, model)) ?? {};
  const attributes = parameterAttributes({ response_format: responseFormat, ...params });
  const running = new Map<number, Running>();
  const failed: Inference[] = [];
  /** The turn whose request the transport gets next: a request is reported and then sent synchronously. */
  let sending: Running | undefined;

  function start(): Inference {
    const at = scheduler.now();
    const broken = failed.shift();
    if (broken === undefined) {
      const parent = scope?.parent ?? activeContext();
      const link: Link | undefined = scope?.failed.at(-1)?.link;
      return startInference(telemetry, { identity, attributes, parent, link, at });
    }
    scope?.failed.splice(scope.failed.indexOf(broken), 1);
    broken.restart(at);
    return broken;
  }

  function end({ inference, request, recorder }: Running, diagnostic: EndDiagnostic): void {
    inference.end(diagnostic, scheduler.now());
    if (request !== undefined && recorder !== undefined) inference.set(answerContent(request, recorder));
    if (scope !== undefined && mayRestart(diagnostic)) {
      failed.push(inference);
      scope.failed.push(inference);
    } else inference.close();
  }

  function tell(diagnostic: Diagnostic): void {
    const { turn, attempt } = diagnostic;
    if (diagnostic.type === 'start') running.set(turn, { inference: start() });
    const each = running.get(turn);
    if (each === undefined) return;
    if (diagnostic.type === 'request') sending = each;
    else if (diagnostic.type === 'retry') each.inference.retry(attempt, diagnostic, scheduler.now());
    else if (diagnostic.type === 'content') each.inference.content(scheduler.now());
    else if (diagnostic.type === 'end') {
      running.delete(turn);
      end(each, diagnostic);
    }
  }

  const send: Transport = (request) => {
    const turn = sending;
    sending = undefined;
    if (turn === undefined) return transport(request);
    const { inference } = turn;
    if (turn.request === undefined) {
      turn.request = request;
      if (model === undefined || telemetry.hasContent) inference.set(requestContent(request, inference));
    }
    const sent = transportWithin(inference.context, inference.parent, transport)(request);
    return telemetry.hasContent ? sent.pipe(map((response) => recorded(turn, response))) : sent;
  };

  function requestContent({ body, ...request }: HttpRequest, inference: Inference): Attributes {
    const parameters = parseJson(body);
    if (!isRecord(parameters)) return {};
    const named = own(parameters, 'model');
    if (model === undefined && typeof named === 'string') inference.rename(named);
    if (!telemetry.hasContent) return parameterAttributes(parameters);
    const redact = redactor(request);
    const stop = own(parameters, 'stop');
    const tools = own(parameters, 'tools');
    return {
      ...parameterAttributes(parameters),
      [contentAttribute.inputMessages]: redact(writeJson(inputMessages(own(parameters, 'messages'))) ?? ''),
      ...(stop !== undefined && { [contentAttribute.requestStopSequences]: [stop].flat().map(String) }),
      ...(tools !== undefined && { [contentAttribute.toolDefinitions]: redact(writeJson(tools) ?? '') }),
    };
  }

  function recorded(turn: Running, response: HttpResponse): HttpResponse {
    if (response.status < 200 || response.status > 299) return response;
    const recorder = answerRecorder(response, provider);
    turn.recorder = recorder;
    return { ...response, body: response.body.pipe(recorder.reading) };
  }

  return {
    ...options,
    transport: send,
    diagnostics(diagnostic: Diagnostic) {
      try {
        options.diagnostics?.(diagnostic);
      } finally {
        tell(diagnostic);
      }
    },
  };
}

const answerContent = (request: HttpRequest, recorder: AnswerRecorder): Attributes => ({
  [contentAttribute.outputMessages]: redactor(request)(writeJson(outputMessages(recorder.turn())) ?? ''),
});

/** The operators around a turn may request it again if it failed or ended without a finish reason. */
const mayRestart = ({ outcome, finishReasons }: EndDiagnostic): boolean =>
  outcome === 'error' || (outcome === 'completed' && finishReasons.includes(null));
