import 'reflect-metadata';
import { NestFactory } from '@nestjs/core';
import type { NestExpressApplication } from '@nestjs/platform-express';
import { AppModule } from './app.module.js';
import { maxBodyBytes, settingsFromEnv } from './settings.js';

const settings = settingsFromEnv(process.env);
const app = await NestFactory.create<NestExpressApplication>(AppModule.with(settings), {
  bodyParser: false,
});
app.useBodyParser('json', { limit: maxBodyBytes });
if (settings.appDir !== undefined) app.useStaticAssets(settings.appDir);
await app.listen(settings.port, settings.host);
console.log(`Listening on ${await app.getUrl()}`);
