import { createServer } from 'node:http';
import { ChatService } from '../dist/chat.service.js';
import { logAddress, send, sendWhole, tell } from '../dist/node-answers.js';
import { RequestProblem } from '../dist/problems.js';
import { chatRequest, checked, promptRequest } from '../dist/requests.js';
import { maxBodyBytes, settingsFromEnv } from '../dist/settings.js';

const settings = settingsFromEnv(process.env);
const chat = new ChatService(settings);

const routes = new Map([
  ['POST /api/chat', (body, response) => send(chat.events(checked(promptRequest, body)), response)],
  [
    'POST /v1/chat/completions',
    (sent, response) => {
      const body = checked(chatRequest, sent);
      return body.stream === true
        ? send(chat.chunks(body), response)
        : sendWhole(chat.completion(body), response);
    },
  ],
]);

const server = createServer(settings.limits, async (request, response) => {
  try {
    const respond = routes.get(`${request.method} ${request.url}`);
    if (respond === undefined) throw new RequestProblem(404, 'There is nothing here.');
    await respond(await readJson(request), response);
  } catch (error) {
    // What is still on its way is dropped, so that the client comes to read the answer.
    request.resume();
    tell(error, response);
  }
});
server.listen(settings.port, settings.host, () => logAddress(server));

async function readJson(request) {
  // A page of another origin cannot send this type unasked.
  if (!/^application\/json\b/i.test(request.headers['content-type'] ?? '')) {
    throw new RequestProblem(415, 'The body must be of the type application/json.');
  }
  if (Number(request.headers['content-length']) > maxBodyBytes)
    throw new RequestProblem(413, 'The body is too large.');
  const chunks = [];
  let size = 0;
  for await (const chunk of request.iterator({ destroyOnReturn: false })) {
    size += chunk.length;
    if (size > maxBodyBytes) throw new RequestProblem(413, 'The body is too large.');
    chunks.push(chunk);
  }
  try {
    return JSON.parse(Buffer.concat(chunks).toString());
  } catch {
    throw new RequestProblem(400, 'The body is not JSON.');
  }
}
