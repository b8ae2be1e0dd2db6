import { fastify } from 'fastify';
import { ChatService, eventStreamHeaders } from '../dist/chat.service.js';
import { begun, logAddress, logFailure, whole } from '../dist/node-answers.js';
import { problemOf } from '../dist/problems.js';
import { chatRequest, checked, promptRequest } from '../dist/requests.js';
import { maxBodyBytes, settingsFromEnv } from '../dist/settings.js';

const settings = settingsFromEnv(process.env);
const chat = new ChatService(settings);

const app = fastify({ bodyLimit: maxBodyBytes, http: settings.limits, ...settings.limits });
// Which pages of other origins can send without asking first.
app.removeContentTypeParser('text/plain');
const send = async (answer, reply) => {
  const stream = await begun(answer, reply.raw);
  return reply.headers(eventStreamHeaders).send(stream);
};
app.post('/api/chat', (request, reply) => send(chat.events(checked(promptRequest, request.body)), reply));
app.post('/v1/chat/completions', (request, reply) => {
  const body = checked(chatRequest, request.body);
  return body.stream === true ? send(chat.chunks(body), reply) : whole(chat.completion(body), reply.raw);
});
app.setErrorHandler((error, _request, reply) => {
  const { status, headers, body } = problemOf(error);
  logFailure(status, error);
  return reply.code(status).headers(headers).send(body);
});

await app.listen({ port: settings.port, host: settings.host });
logAddress(app.server);
