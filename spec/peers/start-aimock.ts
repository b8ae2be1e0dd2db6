import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  type ChatCompletionRequest,
  isChatCompletionBody,
  LLMock,
  validateFixtures,
} from '@copilotkit/aimock';

/** The only key that the server lets in. */
export const key = 'sk-peer-0123456789';

const fixtures = join(__dirname, 'fixtures');

/** Starts aimock with every fixture; one that it finds fault with fails the suite. */
export async function startAimock(): Promise<LLMock> {
  const server = new LLMock({ host: '127.0.0.1', port: 0, auth: { apiKeys: [key] } });
  for (const name of readdirSync(fixtures).sort()) {
    const { fixtures: entries } = JSON.parse(readFileSync(join(fixtures, name), 'utf8')) as FixtureFile;
    server.addFixturesFromJSON(entries);
  }
  const findings = validateFixtures([...server.getFixtures()]);
  if (findings.length > 0) throw new Error(`aimock finds fault with a fixture: ${JSON.stringify(findings)}`);
  await server.start();
  return server;
}

interface FixtureFile {
  readonly fixtures: Exclude<Parameters<LLMock['addFixturesFromJSON']>[0], string>;
}

/** The bodies that the server received, oldest first, without the marks that it adds itself. */
export function receivedBodies(server: LLMock): readonly Partial<ChatCompletionRequest>[] {
  return server.getRequests().map(({ body }) => {
    if (!isChatCompletionBody(body)) throw new Error('A request was no Chat Completions request.');
    const { _endpointType, _context, ...sent } = body;
    return sent;
  });
}
