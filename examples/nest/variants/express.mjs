import { createServer } from 'node:http';
import express from 'express';
import { ChatService } from '../dist/chat.service.js';
import { logAddress, send, sendWhole, tell } from '../dist/node-answers.js';
import { requireSmallJson } from '../dist/limits.js';
import { chatRequest, checked, promptRequest } from '../dist/requests.js';
import { maxBodyBytes, settingsFromEnv } from '../dist/settings.js';

const settings = settingsFromEnv(process.env);
const chat = new ChatService(settings);

const app = express();
app.use(requireSmallJson);
app.use(express.json({ limit: maxBodyBytes }));
app.post('/api/chat', (request, response) =>
  send(chat.events(checked(promptRequest, request.body)), response),
);
app.post('/v1/chat/completions', (request, response) => {
  const body = checked(chatRequest, request.body);
  return body.stream === true
    ? send(chat.chunks(body), response)
    : sendWhole(chat.completion(body), response);
});
// Express knows an error handler by its four parameters.
app.use((error, _request, response, _next) => tell(error, response));

const server = createServer(settings.limits, app);
server.listen(settings.port, settings.host, () => logAddress(server));
