import 'reflect-metadata';
import { NestFactory } from '@nestjs/core';
import type { NestExpressApplication } from '@nestjs/platform-express';
import { AppModule } from './app.module.js';
import { LimitedAdapter, requireSmallJson } from './limits.js';
import { maxBodyBytes, settingsFromEnv } from './settings.js';

const settings = settingsFromEnv(process.env);
const adapter = new LimitedAdapter(settings.limits);
const app = await NestFactory.create<NestExpressApplication>(AppModule.with(settings), adapter, {
  bodyParser: false,
  // Where the process is told to end, answers that go on are cut off.
  forceCloseConnections: true,
});
// Shared turns are then left to the other instances.
app.enableShutdownHooks();
app.use(requireSmallJson);
app.useBodyParser('json', { limit: maxBodyBytes });
if (settings.appDir !== undefined) app.useStaticAssets(settings.appDir);
await app.listen(settings.port, settings.host);
console.log(`Listening on ${await app.getUrl()}`);
